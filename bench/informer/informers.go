package main

import (
	"flag"
	"fmt"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

const contentType = "application/vnd.kubernetes.protobuf"

// factory makes informers as a controller would: protobuf, watch lists, no resync.
func factory(server, ca, token string) (informers.SharedInformerFactory, error) {
	config := &rest.Config{
		Host:            server,
		BearerToken:     token,
		TLSClientConfig: rest.TLSClientConfig{CAFile: ca},
		QPS:             1000,
		Burst:           1000,
		ContentConfig: rest.ContentConfig{
			ContentType: contentType, AcceptContentTypes: contentType + ",application/json",
		},
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return informers.NewSharedInformerFactory(client, 0), nil
}

// sync measures the first list of pods by one informer, then how fast it takes updates.
func sync(arguments []string) error {
	flags := flag.NewFlagSet("sync", flag.ContinueOnError)
	updates := flags.Int64("updates", 0, "wait for so many updates after the list")
	words, err := positional(flags, arguments, 3)
	if err != nil {
		return err
	}
	made, err := factory(words[0], words[1], words[2])
	if err != nil {
		return err
	}
	informer := made.Core().V1().Pods().Informer()
	var seen atomic.Int64
	done := make(chan struct{})
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		UpdateFunc: func(_, _ any) {
			if seen.Add(1) == *updates {
				close(done)
			}
		},
	}); err != nil {
		return err
	}
	began, used := time.Now(), cpu()
	stop := make(chan struct{})
	made.Start(stop)
	if !cache.WaitForCacheSync(stop, informer.HasSynced) {
		return fmt.Errorf("the informer did not sync")
	}
	say(map[string]any{
		"pods": len(informer.GetStore().ListKeys()), "wall": time.Since(began).Seconds(), "cpu": cpu() - used,
	})
	if *updates == 0 {
		select {} // whoever started us reads our memory, then ends us
	}
	began, used = time.Now(), cpu()
	select {
	case <-done:
	case <-time.After(5 * time.Minute):
		return fmt.Errorf("only %d of %d updates came", seen.Load(), *updates)
	}
	say(map[string]any{"updates": seen.Load(), "wall": time.Since(began).Seconds(), "cpu": cpu() - used})
	select {}
}

// handle tells when the handler of the first of `copies` informers heard of each restart count.
func handle(arguments []string) error {
	flags := flag.NewFlagSet("handle", flag.ContinueOnError)
	copies := flags.Int("copies", 1, "informers, as many as there are registrations")
	words, err := positional(flags, arguments, 3)
	if err != nil {
		return err
	}
	for number := range *copies {
		made, err := factory(words[0], words[1], words[2])
		if err != nil {
			return err
		}
		informer := made.Core().V1().Pods().Informer()
		if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			UpdateFunc: func(_, now any) {
				pod := now.(*corev1.Pod)
				if number == 0 && len(pod.Status.ContainerStatuses) > 0 {
					say(map[string]any{
						"mark": pod.Status.ContainerStatuses[0].RestartCount,
						"at":   float64(time.Now().UnixNano()) / 1e9,
					})
				}
			},
		}); err != nil {
			return err
		}
		stop := make(chan struct{})
		made.Start(stop)
		made.WaitForCacheSync(stop)
	}
	say(map[string]any{"synced": *copies})
	select {}
}

// hold keeps informers of every kind that MCM watches, `copies` times over, until it is ended.
func hold(arguments []string) error {
	flags := flag.NewFlagSet("hold", flag.ContinueOnError)
	copies := flags.Int("copies", 1, "how often, as many as there are registrations")
	words, err := positional(flags, arguments, 3)
	if err != nil {
		return err
	}
	for range *copies {
		made, err := factory(words[0], words[1], words[2])
		if err != nil {
			return err
		}
		kinds(made)
		stop := make(chan struct{})
		made.Start(stop)
		made.WaitForCacheSync(stop)
	}
	say(map[string]any{"synced": *copies})
	select {}
}

// kinds asks the factory for an informer of each kind; asking is what creates it.
func kinds(made informers.SharedInformerFactory) {
	core, apps, batch := made.Core().V1(), made.Apps().V1(), made.Batch().V1()
	for _, informer := range []interface {
		Informer() cache.SharedIndexInformer
	}{
		core.Nodes(), core.Namespaces(), core.Pods(), core.Services(), core.ConfigMaps(),
		core.Secrets(), core.PersistentVolumeClaims(), core.PersistentVolumes(),
		core.ServiceAccounts(), core.ResourceQuotas(), core.Events(),
		apps.Deployments(), apps.StatefulSets(), apps.DaemonSets(), apps.ReplicaSets(),
		batch.Jobs(), batch.CronJobs(),
		made.Networking().V1().Ingresses(), made.Networking().V1().NetworkPolicies(),
		made.Storage().V1().StorageClasses(),
		made.Autoscaling().V2().HorizontalPodAutoscalers(),
		made.Policy().V1().PodDisruptionBudgets(),
	} {
		informer.Informer()
	}
}
