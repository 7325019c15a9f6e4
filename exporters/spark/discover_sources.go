package spark

import (
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/internal/lakehouse/httpjson"
	"github.com/lakeproof/lakeproof/internal/lakehouse/kube"
	lakespark "github.com/lakeproof/lakeproof/internal/lakehouse/spark"
	"github.com/lakeproof/lakeproof/metrics"
)

// How often the sources are asked.
const (
	everyPods        = 30 * time.Second
	everyHistory     = time.Minute
	everyMaster      = 15 * time.Second
	everyCheckpoints = 5 * time.Minute
)

const (
	driverSelector = "spark-role in (driver,connect-server)"
	uiPortName     = "spark-ui"
	uiPort         = 4040
	maxHistory     = 500 // runs of one answer of a History Server
)

// nameLabels are where operators and Spark itself put an application's name, the
// most lasting first.
func nameLabels() []string {
	return []string{
		"sparkoperator.k8s.io/scheduled-app-name", "sparkoperator.k8s.io/app-name",
		"spark.operator/spark-app-name", "spark-app-name",
	}
}

// podSource lists the drivers' pods of one namespace, "" for all.
func podSource(client *kube.Client, namespace string, began time.Time) *source {
	target := namespace
	if target == "" {
		target = "all namespaces"
	}
	ask := func(ctx context.Context) (findings, error) {
		pods, err := client.Pods(ctx, namespace, driverSelector)
		var f findings
		for _, p := range pods {
			f.addPod(p, began)
		}
		return f, err
	}
	return &source{kind: fromKubernetes, target: target, every: everyPods, ask: ask}
}

func (f *findings) addPod(p kube.Pod, began time.Time) {
	who := found{source: fromKubernetes, name: podName(p), ident: p.Namespace, began: p.Created}
	if who.name != "" {
		who.ident += "/" + who.name
		who.other = p.Namespace + "/" + who.name
	}
	if how, at, over := podEnding(p); over {
		run := p.Labels["spark-app-selector"]
		if run == "" {
			run = "pod " + p.UID
		}
		if who.name != "" && (at.IsZero() || at.After(began)) {
			f.ended = append(f.ended, endedRun{who: who, run: run, ending: how})
		}
		return
	}
	if p.IP == "" || p.Phase != "Running" {
		return
	}
	port := uiPort
	for _, declared := range p.Ports {
		if declared.Name == uiPortName && declared.Number > 0 {
			port = declared.Number
		}
	}
	who.ui = "http://" + net.JoinHostPort(p.IP, strconv.Itoa(port))
	f.apps = append(f.apps, who)
}

// podName is the name that the pod's labels, or else its annotations, give.
func podName(p kube.Pod) string {
	for _, from := range []map[string]string{p.Labels, p.Annotations} {
		for _, key := range nameLabels() {
			if name := strings.TrimSpace(from[key]); name != "" {
				return stable(name)
			}
		}
	}
	return ""
}

// historySource asks a History Server which runs ended lately. Their last
// figures are read from it, but of a run that is older than we are only that it
// ended.
func historySource(ui *lakespark.UI, began time.Time, now func() time.Time) *source {
	since := began
	ask := func(ctx context.Context) (findings, error) {
		var f findings
		asked := now()
		err := ui.Ended(ctx, since, maxHistory, func(a lakespark.Application) bool {
			for _, run := range a.Attempts {
				if !run.Completed || run.End.Before(began) {
					continue
				}
				id := lakespark.Run{ID: a.ID, Attempt: run.ID}
				f.ended = append(f.ended, endedRun{
					who: found{source: fromHistory, name: stable(a.Name)}, run: id.String(), ending: historyEnding(),
					final: &final{ui: ui, run: id, older: run.Start.Before(began), version: run.Version},
				})
			}
			return true
		})
		if err == nil { // an event log is noticed late, and the servers' clocks differ
			since = asked.Add(-10 * time.Minute)
		}
		return f, err
	}
	return &source{kind: fromHistory, target: ui.Base(), every: everyHistory, ask: ask}
}

// masterSource asks a standalone master. What had ended when it was first asked
// is not counted.
func masterSource(ui *lakespark.UI, proxy bool) *source {
	var before []string
	first := true
	ask := func(ctx context.Context) (findings, error) {
		m, err := ui.Master(ctx)
		if err != nil {
			return findings{}, err
		}
		if m.Status == "" {
			return findings{}, &httpjson.ShapeError{Want: "that of a standalone master"}
		}
		f := findings{master: &m}
		for _, a := range m.Active {
			if proxy && a.State == "RUNNING" {
				f.apps = append(f.apps, found{
					source: fromMaster, ident: a.Name, name: stable(a.Name), ui: ui.Base() + "/proxy/" + a.ID,
				})
			}
		}
		for _, a := range m.Completed {
			if first {
				before = append(before, a.ID)
			} else if !slices.Contains(before, a.ID) {
				f.ended = append(f.ended, endedRun{
					who: found{source: fromMaster, name: stable(a.Name)}, run: a.ID, ending: masterEnding(a.State),
				})
			}
		}
		first = false
		return f, nil
	}
	return &source{kind: fromMaster, target: ui.Base(), every: everyMaster, ask: ask}
}

func emitMaster(p *exporters.Part, target string, m *lakespark.Master) {
	p.Add(metrics.SparkMasterUp(), boolean(m.Status == "ALIVE"), target)
	alive := 0
	for _, w := range m.Workers {
		if w.State == "ALIVE" {
			alive++
		}
	}
	p.Add(metrics.SparkMasterWorkers(), float64(alive), target, "alive")
	p.Add(metrics.SparkMasterWorkers(), float64(len(m.Workers)-alive), target, "other")
	p.Add(metrics.SparkMasterCores(), m.Cores.Value(), target, "total")
	p.Add(metrics.SparkMasterCores(), m.CoresUsed.Value(), target, "used")
	p.Add(metrics.SparkMasterMemory(), m.Memory.Value()*(1<<20), target, "total")
	p.Add(metrics.SparkMasterMemory(), m.MemoryUsed.Value()*(1<<20), target, "used")
	waiting := 0
	for _, a := range m.Active {
		if a.State == "WAITING" {
			waiting++
		}
	}
	p.Add(metrics.SparkMasterApps(), float64(waiting), target, "waiting")
	p.Add(metrics.SparkMasterApps(), float64(len(m.Active)-waiting), target, "running")
}
