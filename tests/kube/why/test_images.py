"""What kubelets, containerd and CRI-O say of images that cannot be pulled."""

from itertools import count
from typing import Any

import pytest

from clusters.kube.why.images import registry
from tests.kube.why.around import Surroundings, event, pod, told, waiting

IMAGE = "registry.example.com/shop/web:1"
PULL = f'failed to pull and unpack image "{IMAGE}"'
RESOLVE = f'{PULL}: failed to resolve reference "{IMAGE}"'
HEAD = f"{RESOLVE}: unexpected status from HEAD request to https://registry.example.com/v2/shop/web/manifests/1"
GET = (
    f'{RESOLVE}: failed to do request: Head "https://registry.example.com/v2/shop/web/manifests/1"'
)
DOCKER = 'failed to pull and unpack image "docker.io/library/busybox:none": failed to resolve reference "docker.io/library/busybox:none"'


@pytest.mark.parametrize(
    ("reason", "message", "code"),
    [
        ("ErrImagePull", f"rpc error: code = NotFound desc = {RESOLVE}: {IMAGE}: not found",
         "image_not_found"),
        ("ErrImagePull", f"rpc error: code = Unknown desc = reading manifest 1 in {IMAGE}: manifest unknown",
         "image_not_found"),
        ("ErrImagePull", f"{DOCKER}: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
         "image_denied"),
        ("ErrImagePull", f"{HEAD}: 401 Unauthorized", "image_denied"),
        ("ErrImagePull", f"{RESOLVE}: failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=repository%3Ashop: 403 Forbidden",
         "image_denied"),
        ("ErrImagePull", "rpc error: code = Unknown desc = Error reading manifest latest in docker.io/crio/busybox: errors: denied: requested access to the resource is denied unauthorized: authentication required",
         "image_denied"),
        ("ErrImagePull", f"{DOCKER}: unexpected status from HEAD request to https://registry-1.docker.io/v2/library/busybox/manifests/none: 429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit",
         "image_rate_limited"),
        ("ErrImagePull", f"{GET}: dial tcp: lookup registry.example.com on 10.96.0.10:53: no such host",
         "image_registry_unreachable"),
        ("ErrImagePull", f"{GET}: dial tcp 192.0.2.7:443: i/o timeout", "image_registry_unreachable"),
        ("ErrImagePull", f"{GET}: dial tcp 192.0.2.7:443: connect: connection refused",
         "image_registry_unreachable"),
        ("ErrImagePull", f"{HEAD}: 503 Service Unavailable", "image_registry_unreachable"),
        ("RegistryUnavailable", f"image pull failed for {IMAGE} because the registry is unavailable: pinging container registry",
         "image_registry_unreachable"),
        ("ErrImagePull", f"{GET}: tls: failed to verify certificate: x509: certificate signed by unknown authority",
         "image_registry_untrusted"),
        ("ErrImagePull", f"{GET}: http: server gave HTTP response to HTTPS client",
         "image_registry_untrusted"),
        ("ErrImagePull", f"rpc error: code = NotFound desc = {PULL}: no match for platform in manifest: not found",
         "image_other_platform"),
        ("ErrImagePull", f'choosing an image from manifest list docker://{IMAGE}: no image found in image index for architecture "arm64", variant "v8", OS "linux"',
         "image_other_platform"),
        ("InvalidImageName", "Failed to apply default image tag \"Shop/Web\": couldn't parse image name \"Shop/Web\": invalid reference format: repository name (library/Shop/Web) must be lowercase",
         "image_bad_name"),
        ("ErrImageNeverPull", f'Container image "{IMAGE}" is not present with pull policy of Never',
         "image_never_pulled"),
        ("ErrImagePull", f"{PULL}: failed to extract layer sha256:0: write /var/lib/containerd/x: no space left on device",
         "image_disk_full"),
        ("SignatureValidationFailed", f"image pull failed for {IMAGE} because the signature validation failed: Source image rejected",
         "image_bad_signature"),
        ("ImageInspectError", f'Failed to inspect image "{IMAGE}": rpc error: code = Unknown desc = layer not known',
         "image_pull_failed"),
    ],
    ids=count(),
)  # fmt: skip
def test_a_pull_that_fails(reason: str, message: str, code: str) -> None:
    [found] = told(pod(waiting(reason, message), phase="Pending"))
    assert found.code == code
    assert (found.kind, found.name, found.container) == ("Pod", "web-1", "app")
    assert found.evidence[0].text.startswith(reason)
    assert found.evidence[0].place == "app.state.waiting"


def test_a_newer_kubelet_repeats_the_reason_while_it_backs_off() -> None:
    words = f'Back-off pulling image "{IMAGE}": ErrImagePull: {RESOLVE}: {IMAGE}: not found'
    [found] = told(pod(waiting("ImagePullBackOff", words), phase="Pending"))
    assert found.code == "image_not_found"
    assert found.what == f"The image {IMAGE} does not exist in the registry registry.example.com."


def test_an_older_kubelet_tells_it_only_in_an_event() -> None:
    body = pod(waiting("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"'), phase="Pending")
    assert [each.code for each in told(body)] == ["image_pull_failed"]
    words = (
        f'Failed to pull image "{IMAGE}": rpc error: code = Unknown desc = {HEAD}: 401 Unauthorized'
    )
    other = event("Failed", 'Failed to pull image "x": not found', container="other", ago=0)
    around = Surroundings(event("Failed", words, container="app"), other)
    [found] = told(body, around)
    assert found.code == "image_denied"
    assert [each.source for each in found.evidence] == ["container", "event"]
    assert found.evidence[1].times == 12
    assert found.since == found.evidence[1].since > 0


@pytest.mark.parametrize(
    ("secrets", "words"),
    [([{"name": "regcred"}], "the credentials in regcred do not suffice"),
     ([], "the pod names no imagePullSecrets")],
)  # fmt: skip
def test_who_is_denied_is_told_which_secret_was_used(secrets: Any, words: str) -> None:
    body = pod(
        waiting("ErrImagePull", f"{HEAD}: 403 Forbidden"),
        phase="Pending",
        spec={"imagePullSecrets": secrets},
    )
    [found] = told(body)
    assert words in found.what


def test_a_pull_secret_that_is_missing() -> None:
    body = pod(
        waiting("ErrImagePull", f"{HEAD}: 401 Unauthorized"),
        phase="Pending",
        spec={"imagePullSecrets": [{"name": "regcred"}]},
    )
    words = "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed."
    [found] = told(body, Surroundings(event("FailedToRetrieveImagePullSecret", words)))
    assert found.code == "image_secret_missing"
    assert "regcred" in found.what


@pytest.mark.parametrize(
    ("image", "host"),
    [("busybox", "docker.io"), ("library/busybox:1", "docker.io"), ("localhost/a", "localhost"),
     ("ghcr.io/a/b:1", "ghcr.io"), ("host:5000/a", "host:5000"), ("busybox:1.2", "docker.io")],
)  # fmt: skip
def test_the_registry_of_an_image(image: str, host: str) -> None:
    assert registry(image) == host
