// The yardsticks of `make bench` that are written with client-go, and the servers of its data.
//
//	informer sync URL CA TOKEN [-updates N]     one informer of pods: first list, then N updates
//	informer handle URL CA TOKEN -copies N      N informers of pods; a line for each update
//	informer hold URL CA TOKEN -copies N        informers of all kinds, N times over
//	informer seed ETCD PREFIX -first A -count N pods, written as an API server stores them
//	informer replay -cert F -key F -pods N      an API server's watch of pods, at any rate
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"syscall"
)

var commands = map[string]func([]string) error{
	"sync": sync, "handle": handle, "hold": hold, "seed": seed, "replay": replay,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: informer sync|handle|hold|seed|replay …")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// say writes one JSON object as a line; whoever started us reads it.
func say(what map[string]any) {
	line, err := json.Marshal(what)
	if err != nil {
		panic(err)
	}
	os.Stdout.Write(append(line, '\n'))
}

// positional parses flags after `n` words, as `informer sync URL CA TOKEN -updates 5` has them.
func positional(flags *flag.FlagSet, arguments []string, n int) ([]string, error) {
	if len(arguments) < n {
		return nil, fmt.Errorf("%s needs %d words before its options", flags.Name(), n)
	}
	return arguments[:n], flags.Parse(arguments[n:])
}

// cpu is what this process has used so far, in seconds.
func cpu() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return seconds(used.Utime) + seconds(used.Stime)
}

func seconds(t syscall.Timeval) float64 {
	return float64(t.Sec) + float64(t.Usec)/1e6
}
