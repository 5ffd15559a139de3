"""What MCM knows of Kubernetes: an adapter that knows no Django.

`kubeconfig` turns an uploaded file into a `Connection`, `client` asks one question and waits,
`watch` follows a cluster for ever. Errors are `errors.KubeError`, data is in `types`.
"""
