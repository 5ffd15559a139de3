"""The part of Kubernetes' protobuf messages that is read; everything else is skipped unread.

Numbers and names: k8s.io/api/*/generated.proto, k8s.io/apimachinery/pkg/{apis/meta/v1,
runtime}/generated.proto; messages that agree in what is read are one here. A partial schema makes
decoding a pod several times cheaper than the whole one. Objects inside lists and events stay
bytes, so that one bad object costs one object; so do parts that many objects share, as keys of
caches of what they hold.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "mcm.kube"
MAGIC = b"k8s\x00"

MESSAGES: dict[str, str] = {
    # k8s.io/apimachinery
    "Time": "1 seconds int64",
    "Pair": "1 key string, 2 value string",
    "Quantity": "1 string string",
    "Amount": "1 key string, 2 value Quantity",
    "IntOrString": "1 type int64, 2 intVal int32, 3 strVal string",
    "OwnerReference": "1 kind string, 3 name string, 6 controller bool",
    "ObjectMeta": "1 name string, 3 namespace string, 5 uid string, 6 resourceVersion string,"
    " 8 creationTimestamp Time, 9 deletionTimestamp Time, 11 labels bytes*,"
    " 13 ownerReferences bytes*",
    # Annotations and the generation cost time: only the kinds that need them read them.
    "FullMeta": "1 name string, 3 namespace string, 5 uid string, 6 resourceVersion string,"
    " 7 generation int64, 8 creationTimestamp Time, 9 deletionTimestamp Time, 11 labels bytes*,"
    " 12 annotations Pair*, 13 ownerReferences bytes*",
    "ListMeta": "2 resourceVersion string, 3 continue string",
    # core: pods and nodes
    "Waiting": "1 reason string",
    "Running": "1 startedAt Time",
    "Terminated": "1 exitCode int32, 2 signal int32, 3 reason string",
    "ContainerState": "1 waiting Waiting, 2 running Running, 3 terminated Terminated",
    "ContainerStatus": "1 name string, 2 state ContainerState, 4 ready bool, 5 restartCount int32,"
    " 9 started bool",
    "Condition": "1 type string, 2 status string, 4 lastTransitionTime Time, 5 reason string",
    "Resources": "2 requests Amount*",
    "Container": "1 name string, 2 image string, 8 resources bytes, 24 restartPolicy string",
    "PodSpec": "2 containers Container*, 10 nodeName string, 20 initContainers Container*,"
    " 32 overhead bytes*, 40 resources bytes",
    "PodStatus": "1 phase string, 2 conditions Condition*, 4 reason string, 6 podIP string,"
    " 8 containerStatuses ContainerStatus*, 10 initContainerStatuses ContainerStatus*",
    "Pod": "1 metadata ObjectMeta, 2 spec PodSpec, 3 status PodStatus",
    "Taint": "1 key string, 2 value string, 3 effect string",
    "NodeSpec": "4 unschedulable bool, 5 taints Taint*",
    "NodeInfo": "7 kubeletVersion string",
    "NodeStatus": "2 allocatable Amount*, 4 conditions Condition*, 7 nodeInfo NodeInfo",
    "Node": "1 metadata ObjectMeta, 2 spec NodeSpec, 3 status NodeStatus",
    "NamespaceStatus": "1 phase string",
    "Namespace": "1 metadata ObjectMeta, 3 status NamespaceStatus",
    # apps and batch
    "Image": "2 image string",
    "TemplateSpec": "2 containers Image*",
    "Template": "2 spec TemplateSpec",
    "WorkloadCondition": "1 type string, 2 status string, 4 reason string,"
    " 7 lastTransitionTime Time",
    "DeploymentSpec": "1 replicas int32, 3 template Template, 7 paused bool",
    "DeploymentStatus": "1 observedGeneration int64, 2 replicas int32, 3 updatedReplicas int32,"
    " 4 availableReplicas int32, 6 conditions WorkloadCondition*, 7 readyReplicas int32",
    "Deployment": "1 metadata FullMeta, 2 spec DeploymentSpec, 3 status DeploymentStatus",
    "RollingUpdate": "1 partition int32",
    "UpdateStrategy": "1 type string, 2 rollingUpdate RollingUpdate",
    "StatefulSetSpec": "1 replicas int32, 3 template Template, 7 updateStrategy UpdateStrategy",
    "StatefulSetStatus": "1 observedGeneration int64, 2 replicas int32, 3 readyReplicas int32,"
    " 5 updatedReplicas int32, 6 currentRevision string, 7 updateRevision string,"
    " 11 availableReplicas int32",
    "StatefulSet": "1 metadata FullMeta, 2 spec StatefulSetSpec, 3 status StatefulSetStatus",
    "DaemonSetSpec": "2 template Template, 3 updateStrategy UpdateStrategy",
    "DaemonSetStatus": "1 currentNumberScheduled int32, 3 desiredNumberScheduled int32,"
    " 4 numberReady int32, 5 observedGeneration int64, 6 updatedNumberScheduled int32,"
    " 7 numberAvailable int32",
    "DaemonSet": "1 metadata FullMeta, 2 spec DaemonSetSpec, 3 status DaemonSetStatus",
    "ReplicaSetCondition": "1 type string, 2 status string, 3 lastTransitionTime Time,"
    " 4 reason string",
    "ReplicaSetSpec": "1 replicas int32, 3 template Template",
    "ReplicaSetStatus": "1 replicas int32, 3 observedGeneration int64, 4 readyReplicas int32,"
    " 5 availableReplicas int32, 6 conditions ReplicaSetCondition*",
    "ReplicaSet": "1 metadata FullMeta, 2 spec ReplicaSetSpec, 3 status ReplicaSetStatus",
    "JobSpec": "1 parallelism int32, 2 completions int32, 6 template Template",
    "JobStatus": "1 conditions Condition*, 2 startTime Time, 4 active int32, 5 succeeded int32,"
    " 6 failed int32",
    "Job": "1 metadata ObjectMeta, 2 spec JobSpec, 3 status JobStatus",
    "JobTemplate": "2 spec JobSpec",
    "CronJobSpec": "1 schedule string, 4 suspend bool, 5 jobTemplate JobTemplate",
    "CronJobStatus": "1 active Reference*, 4 lastScheduleTime Time",
    "CronJob": "1 metadata ObjectMeta, 2 spec CronJobSpec, 3 status CronJobStatus",
    # services and ingresses
    "ServicePort": "2 protocol string, 3 port int32, 5 nodePort int32",
    "LoadBalancerIngress": "1 ip string, 2 hostname string",
    "LoadBalancerStatus": "1 ingress LoadBalancerIngress*",
    "LoadBalanced": "1 loadBalancer LoadBalancerStatus",
    "ServiceSpec": "1 ports ServicePort*, 3 clusterIP string, 4 type string,"
    " 5 externalIPs string*, 10 externalName string",
    "Service": "1 metadata ObjectMeta, 2 spec ServiceSpec, 3 status LoadBalanced",
    "IngressRule": "1 host string",
    "IngressSpec": "3 rules IngressRule*, 4 ingressClassName string",
    "Ingress": "1 metadata ObjectMeta, 2 spec IngressSpec, 3 status LoadBalanced",
    # storage
    "Reference": "1 kind string, 2 namespace string, 3 name string",
    "ClaimSpec": "2 resources Resources, 3 volumeName string, 5 storageClassName string",
    "ClaimStatus": "1 phase string, 3 capacity Amount*",
    "PersistentVolumeClaim": "1 metadata FullMeta, 2 spec ClaimSpec, 3 status ClaimStatus",
    "VolumeSpec": "1 capacity Amount*, 4 claimRef Reference, 6 storageClassName string",
    "VolumeStatus": "1 phase string, 3 reason string, 4 lastPhaseTransitionTime Time",
    "PersistentVolume": "1 metadata FullMeta, 2 spec VolumeSpec, 3 status VolumeStatus",
    "StorageClass": "1 metadata FullMeta, 2 provisioner string",
    # autoscaling, policy, quotas, events
    "ScaleTarget": "1 kind string, 2 name string",
    "AutoscalerCondition": "1 type string, 2 status string, 3 lastTransitionTime Time,"
    " 4 reason string",
    "AutoscalerSpec": "1 scaleTargetRef ScaleTarget, 2 minReplicas int32, 3 maxReplicas int32",
    "AutoscalerStatus": "3 currentReplicas int32, 4 desiredReplicas int32,"
    " 6 conditions AutoscalerCondition*",
    "HorizontalPodAutoscaler": "1 metadata ObjectMeta, 2 spec AutoscalerSpec,"
    " 3 status AutoscalerStatus",
    "BudgetSpec": "1 minAvailable IntOrString, 3 maxUnavailable IntOrString",
    "BudgetStatus": "3 disruptionsAllowed int32, 4 currentHealthy int32, 5 desiredHealthy int32,"
    " 6 expectedPods int32, 7 conditions Condition*",
    "PodDisruptionBudget": "1 metadata ObjectMeta, 2 spec BudgetSpec, 3 status BudgetStatus",
    "QuotaStatus": "1 hard Amount*, 2 used Amount*",
    "ResourceQuota": "1 metadata ObjectMeta, 3 status QuotaStatus",
    "EventSource": "1 component string",
    "EventSeries": "1 count int32, 2 lastObservedTime Time",
    "Event": "1 metadata ObjectMeta, 2 involvedObject Reference, 3 reason string,"
    " 4 message string, 5 source EventSource, 6 firstTimestamp Time, 7 lastTimestamp Time,"
    " 8 count int32, 9 type string, 10 eventTime Time, 11 series EventSeries,"
    " 14 reportingComponent string",
    "DataEntry": "1 key string, 2 value bytes",
    "Secret": "1 metadata ObjectMeta, 2 data DataEntry*, 3 type string",
    # lists, watches and refusals
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
