"""Real Kubernetes clusters as plain processes on one machine, for demo and tests."""
