package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Versions have always ten digits, so that they can be replaced inside encoded events.
const firstVersion = 1_000_000_000

// server plays an API server with only pods: a list, then `events` changes at `rate` a second.
type server struct {
	pods, events, rate int
	pause              time.Duration
	frames             map[string]*frames
}

// frames are all events of one encoding, made before anybody asks: the server must not be what
// is measured. Each pod has two states that take turns: restarted and not.
type frames struct {
	added, changed [2][]frame
	end            []byte
}

type frame struct {
	bytes   []byte
	version int // where in `bytes` its version stands
}

func replay(arguments []string) error {
	flags := flag.NewFlagSet("replay", flag.ContinueOnError)
	address := flags.String("address", "127.0.0.1:0", "where to listen")
	certificate := flags.String("cert", "", "file of the certificate")
	key := flags.String("key", "", "file of its key")
	made := &server{frames: map[string]*frames{}}
	flags.IntVar(&made.pods, "pods", 1000, "how many pods there are")
	flags.IntVar(&made.events, "events", 0, "how many changes follow the list; 0: none")
	flags.IntVar(&made.rate, "rate", 0, "changes a second; 0: as fast as they are taken")
	flags.DurationVar(&made.pause, "pause", 0, "between the list and the first change")
	encodings := flags.String("encodings", "protobuf,json", "what is prepared")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	for _, encoding := range strings.Split(*encodings, ",") {
		prepared, err := prepare(encoding, made.pods, made.events > 0)
		if err != nil {
			return err
		}
		made.frames[encoding] = prepared
	}
	say(map[string]any{"ready": *address, "bytes": len(made.frames[strings.Split(*encodings, ",")[0]].added[0][0].bytes)})
	return (&http.Server{Addr: *address, Handler: made}).ListenAndServeTLS(*certificate, *key)
}

func prepare(encoding string, pods int, changes bool) (*frames, error) {
	made := &frames{}
	for n := range pods {
		one := pod(n)
		one.ResourceVersion = strconv.Itoa(firstVersion + n)
		added, err := encodeEvent(encoding, "ADDED", one)
		if err != nil {
			return nil, err
		}
		made.added[0] = append(made.added[0], added)
		for state := 0; changes && state < 2; state++ {
			one.Status.ContainerStatuses[0].RestartCount = int32(1 + state)
			changed, err := encodeEvent(encoding, "MODIFIED", one)
			if err != nil {
				return nil, err
			}
			made.changed[state] = append(made.changed[state], changed)
		}
	}
	end, err := encodeEvent(encoding, "BOOKMARK", &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			ResourceVersion: strconv.Itoa(firstVersion + pods),
			Annotations:     map[string]string{"k8s.io/initial-events-end": "true"},
		},
	})
	made.end = end.bytes
	return made, err
}

func encodeEvent(encoding, kind string, object *corev1.Pod) (frame, error) {
	var out []byte
	if encoding == "json" {
		line, err := json.Marshal(metav1.WatchEvent{Type: kind, Object: runtime.RawExtension{Object: object}})
		if err != nil {
			return frame{}, err
		}
		out = append(line, '\n')
	} else {
		raw, err := encode(object)
		if err != nil {
			return frame{}, err
		}
		event := metav1.WatchEvent{Type: kind, Object: runtime.RawExtension{Raw: raw}}
		body, err := event.Marshal()
		if err != nil {
			return frame{}, err
		}
		out = append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
	}
	return frame{out, bytes.Index(out, []byte(object.ResourceVersion))}, nil
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	encoding := "json"
	if strings.HasPrefix(r.Header.Get("Accept"), "application/vnd.kubernetes.protobuf") {
		encoding = "protobuf"
	}
	watching := r.URL.Query().Get("watch") == "1" || r.URL.Query().Get("watch") == "true"
	switch {
	case r.URL.Path == "/api/v1/pods" && watching && s.frames[encoding] != nil:
		s.watch(w, r, s.frames[encoding], encoding)
	case r.URL.Path == "/api/v1/pods" && s.frames[encoding] != nil:
		s.list(w, encoding)
	case r.URL.Path == "/readyz":
		fmt.Fprint(w, "ok")
	case r.URL.Path == "/version":
		fmt.Fprint(w, `{"major":"1","minor":"37","gitVersion":"v1.37.2","platform":"linux/amd64"}`)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,`+
			`"message":"only pods are replayed"}`)
	}
}

// list is for clients that do not ask for watch lists: no pods, and the version to watch from.
func (s *server) list(w http.ResponseWriter, encoding string) {
	list := &corev1.PodList{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"},
		ListMeta: metav1.ListMeta{ResourceVersion: strconv.Itoa(firstVersion + s.pods)},
	}
	if encoding == "json" {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(list)
		return
	}
	w.Header().Set("Content-Type", "application/vnd.kubernetes.protobuf")
	raw, _ := encode(list)
	w.Write(raw)
}

func (s *server) watch(w http.ResponseWriter, r *http.Request, of *frames, encoding string) {
	if encoding == "json" {
		w.Header().Set("Content-Type", "application/json")
	} else {
		w.Header().Set("Content-Type", "application/vnd.kubernetes.protobuf;stream=watch")
	}
	flusher := w.(http.Flusher)
	if r.URL.Query().Get("sendInitialEvents") == "true" {
		for _, one := range of.added[0] {
			w.Write(one.bytes)
		}
		w.Write(of.end)
	}
	flusher.Flush()
	s.change(w, flusher, of)
	<-r.Context().Done()
}

// change sends the events; a version is written into a copy, since others send the same frames.
func (s *server) change(w http.ResponseWriter, flusher http.Flusher, of *frames) {
	if s.events == 0 {
		return
	}
	time.Sleep(s.pause)
	began := time.Now()
	say(map[string]any{"changing": float64(began.UnixNano()) / 1e9})
	var out []byte
	for n := range s.events {
		one := of.changed[n/s.pods%2][n%s.pods]
		out = append(out[:0], one.bytes...)
		copy(out[one.version:], strconv.Itoa(firstVersion+s.pods+1+n))
		if _, err := w.Write(out); err != nil {
			return
		}
		if s.rate > 0 && n%10 == 9 {
			flusher.Flush()
			time.Sleep(time.Until(began.Add(time.Duration(n+1) * time.Second / time.Duration(s.rate))))
		}
	}
	flusher.Flush()
}
