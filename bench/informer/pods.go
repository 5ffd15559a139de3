package main

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const namespaces = 20

var (
	epoch = metav1.NewTime(time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC))
	names = []string{"checkout", "catalog", "payments", "search", "auth", "web", "worker", "gateway"}
)

// pod is pod number n, of the size and shape that a Deployment's pods have on a real server
// (7 KB, more than a third of it managedFields). Each fifth has a sidecar.
func pod(n int) *corev1.Pod {
	app := fmt.Sprintf("%s-%02d", names[n%len(names)], n/len(names)%40)
	hash := fmt.Sprintf("%010x", uint32(n/100)*2654435761)
	name := fmt.Sprintf("%s-%s-%05x", app, hash, n)
	address := fmt.Sprintf("10.%d.%d.%d", 64+n/62500, n/250%250, n%250+1)
	node := fmt.Sprintf("ip-10-0-%d-17.eu-west-1.compute.internal", n%200)
	made := &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			Name: name, GenerateName: app + "-" + hash + "-", Generation: 1,
			Namespace: fmt.Sprintf("team-%02d", n%namespaces),
			UID:       types.UID(fmt.Sprintf("b3c0ffee-0000-4000-8000-%012x", n)), CreationTimestamp: epoch,
			Labels: map[string]string{
				"app.kubernetes.io/name": app, "app.kubernetes.io/version": "1.4.2",
				"app.kubernetes.io/part-of": "shop", "app.kubernetes.io/managed-by": "Helm",
				"helm.sh/chart": app + "-2.3.1", "pod-template-hash": hash,
			},
			Annotations: map[string]string{
				"checksum/config":      "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
				"prometheus.io/scrape": "true", "prometheus.io/port": "8080",
				"kubectl.kubernetes.io/restartedAt": "2026-11-01T08:00:00Z",
			},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "apps/v1", Kind: "ReplicaSet", Name: app + "-" + hash,
				UID: types.UID("d00dfeed-0000-4000-8000-" + hash + "00"), Controller: ptr(true),
				BlockOwnerDeletion: ptr(true),
			}},
			ManagedFields: managed,
		},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{container(app)}, NodeName: node,
			RestartPolicy: corev1.RestartPolicyAlways, DNSPolicy: corev1.DNSClusterFirst,
			ServiceAccountName: app, DeprecatedServiceAccount: app, SchedulerName: "default-scheduler",
			SecurityContext: &corev1.PodSecurityContext{FSGroup: ptr(int64(1000))},
			Tolerations: []corev1.Toleration{
				toleration("node.kubernetes.io/not-ready"), toleration("node.kubernetes.io/unreachable"),
			},
			Priority: ptr(int32(0)), EnableServiceLinks: ptr(true), Volumes: volumes(app),
			PreemptionPolicy:              ptr(corev1.PreemptLowerPriority),
			TerminationGracePeriodSeconds: ptr(int64(30)),
		},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, Conditions: conditions(), HostIP: "10.0.0.17",
			HostIPs: []corev1.HostIP{{IP: "10.0.0.17"}}, PodIP: address,
			PodIPs: []corev1.PodIP{{IP: address}}, StartTime: &epoch, QOSClass: corev1.PodQOSBurstable,
		},
	}
	if n%5 == 0 {
		made.Spec.Containers = append(made.Spec.Containers, container("istio-proxy"))
	}
	for _, one := range made.Spec.Containers {
		made.Status.ContainerStatuses = append(made.Status.ContainerStatuses, running(one))
	}
	return made
}

func container(name string) corev1.Container {
	probe := &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: "/healthz", Port: intstr.FromString("http"), Scheme: corev1.URISchemeHTTP,
		}},
		TimeoutSeconds: 1, PeriodSeconds: 10, SuccessThreshold: 1, FailureThreshold: 3,
	}
	field := func(name, path string) corev1.EnvVar {
		return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{
			FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: path},
		}}
	}
	return corev1.Container{
		Name: name, Image: "registry.internal.example.com/shop/" + name + ":1.4.2",
		Ports: []corev1.ContainerPort{
			{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP},
			{Name: "metrics", ContainerPort: 9090, Protocol: corev1.ProtocolTCP},
		},
		Env: []corev1.EnvVar{
			field("POD_NAME", "metadata.name"), field("POD_NAMESPACE", "metadata.namespace"),
			{Name: "LOG_LEVEL", Value: "info"},
			{Name: "OTEL_EXPORTER_OTLP_ENDPOINT", Value: "http://otel-collector.observability.svc:4317"},
		},
		Resources: corev1.ResourceRequirements{
			Limits:   amounts("500m", "512Mi"),
			Requests: amounts("100m", "256Mi"),
		},
		VolumeMounts: []corev1.VolumeMount{
			{Name: "config", MountPath: "/etc/app"},
			{Name: "kube-api-access-x7k2p", ReadOnly: true, MountPath: "/var/run/secrets/kubernetes.io/serviceaccount"},
		},
		LivenessProbe: probe, ReadinessProbe: probe, TerminationMessagePath: "/dev/termination-log",
		TerminationMessagePolicy: corev1.TerminationMessageReadFile, ImagePullPolicy: corev1.PullIfNotPresent,
	}
}

func running(of corev1.Container) corev1.ContainerStatus {
	const digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	return corev1.ContainerStatus{
		Name: of.Name, Ready: true, Started: ptr(true), Image: of.Image,
		ImageID: of.Image + "@sha256:" + digest, ContainerID: "containerd://" + digest,
		State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: epoch}},
	}
}

func conditions() []corev1.PodCondition {
	var all []corev1.PodCondition
	for _, kind := range []corev1.PodConditionType{
		"PodReadyToStartContainers", corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady,
		corev1.PodScheduled,
	} {
		all = append(all, corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: epoch})
	}
	return all
}

func volumes(app string) []corev1.Volume {
	return []corev1.Volume{
		{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: app + "-config"}, DefaultMode: ptr(int32(420)),
		}}},
		{Name: "kube-api-access-x7k2p", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			DefaultMode: ptr(int32(420)),
			Sources: []corev1.VolumeProjection{
				{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{ExpirationSeconds: ptr(int64(3607)), Path: "token"}},
			},
		}}},
	}
}

func toleration(key string) corev1.Toleration {
	return corev1.Toleration{
		Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute,
		TolerationSeconds: ptr(int64(300)),
	}
}

func amounts(cpu, memory string) corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory),
	}
}

func ptr[T any](value T) *T { return &value }
