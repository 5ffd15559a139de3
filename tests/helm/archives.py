"""Makes chart archives, good and hostile ones, byte by byte where tarfile would refuse."""

import gzip
import io
import tarfile

CHART = "apiVersion: v2\nname: demo\nversion: 1.2.3\nappVersion: '9'\ndescription: A demo\n"
PAUSE = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      nodeSelector: {{ toJson .Values.nodeSelector }}
      containers: [{name: main, image: "registry.example/pause:1"}]
---
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}
stringData:
  password: {{ .Values.password | quote }}
"""
DEPLOYMENT = {
    "templates/all.yaml": PAUSE,
    "templates/NOTES.txt": "Thank you for {{ .Release.Name }}.",
    "values.yaml": "replicas: 1\nnodeSelector: {}\npassword: none\n",
}


def chart(files: dict[str, str] | None = None, about: str = CHART, top: str = "demo") -> bytes:
    """Return an archive of a chart with these files."""
    members = {f"{top}/Chart.yaml": about}
    members |= {f"{top}/{name}": text for name, text in (files or {}).items()}
    return packed(*(member(name, text.encode()) for name, text in members.items()))


def member(
    name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    """Return one entry of an archive."""
    about = tarfile.TarInfo(name)
    about.type = kind
    about.linkname = link
    about.size = len(data)
    return about, data


def packed(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return the archive of these entries."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=form) as tar:
        for about, data in members:
            tar.addfile(about, io.BytesIO(data))
    return gzip.compress(target.getvalue(), 6, mtime=0)


def with_entries(*members: tuple[tarfile.TarInfo, bytes], top: str = "demo") -> bytes:
    """Return a good chart with these entries after it."""
    return packed(member(f"{top}/Chart.yaml", CHART.encode()), *members)
