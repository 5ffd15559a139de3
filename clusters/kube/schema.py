"""The part of Kubernetes' protobuf messages that is read; everything else is skipped unread.

Numbers and names: k8s.io/api/core/v1/generated.proto, k8s.io/apimachinery/pkg/{apis/meta/v1,
runtime}/generated.proto. A partial schema makes decoding a pod several times cheaper than the
whole one. Objects inside lists and events stay bytes, so that one bad object costs one object.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "mcm.kube"
MAGIC = b"k8s\x00"

MESSAGES: dict[str, str] = {
    "Time": "1 seconds int64",
    "Pair": "1 key string, 2 value string",
    "OwnerReference": "1 kind string, 3 name string, 6 controller bool",
    "ObjectMeta": "1 name string, 3 namespace string, 5 uid string, 6 resourceVersion string,"
    " 8 creationTimestamp Time, 9 deletionTimestamp Time, 11 labels Pair*,"
    " 13 ownerReferences OwnerReference*",
    "ListMeta": "2 resourceVersion string, 3 continue string",
    "Waiting": "1 reason string",
    "Running": "1 startedAt Time",
    "Terminated": "1 exitCode int32, 2 signal int32, 3 reason string",
    "ContainerState": "1 waiting Waiting, 2 running Running, 3 terminated Terminated",
    "ContainerStatus": "1 name string, 2 state ContainerState, 4 ready bool, 5 restartCount int32,"
    " 9 started bool",
    "Condition": "1 type string, 2 status string",
    "PodCondition": "1 type string, 2 status string, 5 reason string",
    "Container": "1 name string, 2 image string, 24 restartPolicy string",
    "PodSpec": "2 containers Container*, 10 nodeName string, 20 initContainers Container*",
    "PodStatus": "1 phase string, 2 conditions PodCondition*, 4 reason string,"
    " 8 containerStatuses ContainerStatus*, 10 initContainerStatuses ContainerStatus*",
    "Pod": "1 metadata ObjectMeta, 2 spec PodSpec, 3 status PodStatus",
    "NodeSpec": "4 unschedulable bool",
    "NodeStatus": "4 conditions Condition*",
    "Node": "1 metadata ObjectMeta, 2 spec NodeSpec, 3 status NodeStatus",
    "NamespaceStatus": "1 phase string",
    "Namespace": "1 metadata ObjectMeta, 3 status NamespaceStatus",
    "RawList": "1 metadata ListMeta, 2 items bytes*",
    "AnyObject": "1 metadata ObjectMeta",
    "Unknown": "2 raw bytes",
    "RawExtension": "1 raw bytes",
    "WatchEvent": "1 type string, 2 object RawExtension",
    "StatusDetails": "5 retryAfterSeconds int32",
    "Status": "3 message string, 4 reason string, 5 details StatusDetails, 6 code int32",
}


def _build() -> dict[str, Any]:
    field = descriptor_pb2.FieldDescriptorProto
    scalars = {
        "string": field.TYPE_STRING,
        "bytes": field.TYPE_BYTES,
        "bool": field.TYPE_BOOL,
        "int32": field.TYPE_INT32,
        "int64": field.TYPE_INT64,
    }
    # proto2, because presence matters: `terminated` with every field at zero is still there.
    file = descriptor_pb2.FileDescriptorProto(name="kube.proto", package=PACKAGE, syntax="proto2")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for each in fields.split(","):
            number, attribute, kind = each.split()
            many = field.LABEL_REPEATED if kind.endswith("*") else field.LABEL_OPTIONAL
            kind = kind.rstrip("*")
            added = message.field.add(name=attribute, number=int(number), label=many)
            if kind in scalars:
                added.type = scalars[kind]
            else:
                added.type = field.TYPE_MESSAGE
                added.type_name = f".{PACKAGE}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
        for name in MESSAGES
    }


MESSAGE = _build()
"""The message classes by name: `MESSAGE["Pod"].FromString(data)`."""
