"""What MCM knows of Kubernetes: an adapter that knows no Django.

`kubeconfig` turns an uploaded file into a `Connection`, `client` asks one question and waits,
`watch` follows a cluster for ever. `kinds` says what can be followed, `project` makes a row of
each object, `discovery` finds custom resources and `rights` what the account may do. Errors are
`errors.KubeError`, data is in `types`.
"""
