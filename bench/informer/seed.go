package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	clientgo "k8s.io/client-go/kubernetes/scheme"
)

const inOneTransaction = 100

// seed writes pods into etcd as the API server itself stores them: a hundred times faster than by
// its API, which would make them Pending first.
func seed(arguments []string) error {
	flags := flag.NewFlagSet("seed", flag.ContinueOnError)
	first := flags.Int("first", 0, "number of the first pod")
	count := flags.Int("count", 1000, "how many")
	words, err := positional(flags, arguments, 2)
	if err != nil {
		return err
	}
	for from := *first; from < *first+*count; from += inOneTransaction {
		if err := put(words[0], words[1], from, min(from+inOneTransaction, *first+*count)); err != nil {
			return err
		}
	}
	return nil
}

func put(etcd, prefix string, from, to int) error {
	var operations []map[string]any
	for n := from; n < to; n++ {
		made := pod(n)
		stored, err := encode(made)
		if err != nil {
			return err
		}
		key := fmt.Sprintf("%s/pods/%s/%s", prefix, made.Namespace, made.Name)
		operations = append(operations, map[string]any{"requestPut": map[string]string{
			"key":   base64.StdEncoding.EncodeToString([]byte(key)),
			"value": base64.StdEncoding.EncodeToString(stored),
		}})
	}
	body, err := json.Marshal(map[string]any{"success": operations})
	if err != nil {
		return err
	}
	reply, err := http.Post(etcd+"/v3/kv/txn", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("etcd answered %s", reply.Status)
	}
	return nil
}

// encode gives the protobuf with Kubernetes' envelope, on the wire and in etcd the same.
func encode(object runtime.Object) ([]byte, error) {
	serializer := protobuf.NewSerializer(clientgo.Scheme, clientgo.Scheme)
	var out bytes.Buffer
	err := clientgo.Codecs.EncoderForVersion(serializer, corev1.SchemeGroupVersion).Encode(object, &out)
	return out.Bytes(), err
}
