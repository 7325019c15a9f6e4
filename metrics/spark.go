package metrics

import "slices"

// The values of label reason of [SparkExecutorsRemoved].
const (
	RemovedOOM            = "oom"            // out of memory, or killed with exit code 137
	RemovedEvicted        = "evicted"        // by Kubernetes, or preempted
	RemovedLost           = "lost"           // no heartbeat, the connection or the node is gone
	RemovedDecommissioned = "decommissioned" // on purpose: decommissioned, or released when idle
	RemovedOther          = "other"
)

// RemovedReasons returns the values of label reason of [SparkExecutorsRemoved].
func RemovedReasons() []string {
	return []string{RemovedOOM, RemovedEvicted, RemovedLost, RemovedDecommissioned, RemovedOther}
}

func spark() []Metric {
	return slices.Concat([]Metric{
		SparkAppUp(), SparkAppInfo(), SparkAppStart(), SparkAppLastSeen(), SparkAppCompleted(),
		SparkExecutors(), SparkExecutorMemory(), SparkDriverMemory(), SparkTaskSlots(), SparkActiveTasks(),
		SparkGCRatio(), SparkExecutorsRemoved(), SparkTasks(), SparkJobs(), SparkJobDuration(),
		SparkStageDuration(), SparkStageCPU(), SparkStageRun(), SparkStageSkew(), SparkInputBytes(),
		SparkOutputBytes(), SparkShuffleBytes(), SparkSpillBytes(), SparkEventsDropped(),
		SparkPollErrors(), SparkPollMissed(), SparkSourceUp(), SparkAppsDropped(),
		SparkMasterUp(), SparkMasterWorkers(), SparkMasterCores(), SparkMasterMemory(), SparkMasterApps(),
	}, sparkStreaming())
}

// sparkGauge and sparkCounter are how most families look: of one application.
func sparkGauge(name, unit, help string, labels ...string) Metric {
	return Metric{Name: name, Kind: Gauge, Unit: unit, Labels: append([]string{"app"}, labels...), Help: help}
}

func sparkCounter(name, unit, help string, labels ...string) Metric {
	return Metric{Name: name, Kind: Counter, Unit: unit, Labels: append([]string{"app"}, labels...), Help: help}
}

// SparkAppUp says whether the driver answers.
func SparkAppUp() Metric {
	return sparkGauge("spark_app_up", None, "1 when the application's driver answered the last collection, else 0")
}

// SparkAppInfo is the one series with ids.
func SparkAppInfo() Metric {
	return sparkGauge("spark_app_info", None,
		"Always 1; the labels say which run of the application this is, and who told of it", "app_id", "version", "source")
}

// SparkAppStart is when the run began.
func SparkAppStart() Metric {
	return sparkGauge("spark_app_start_time_seconds", Seconds, "When the application's run began, in Unix time")
}

// SparkAppLastSeen is when the driver last answered.
func SparkAppLastSeen() Metric {
	return sparkGauge("spark_app_last_seen_timestamp_seconds", Seconds, "When the driver last answered, in Unix time")
}

// SparkAppCompleted counts the runs that ended.
func SparkAppCompleted() Metric {
	return sparkCounter("spark_app_completed_total", None,
		"Runs of the application that ended, by status (succeeded, failed, finished, unknown) and reason "+
			"(completed, error, oom, evicted, killed, replaced, unknown)", "status", "reason")
}

// SparkExecutors counts executors by state.
func SparkExecutors() Metric {
	return sparkGauge("spark_executors", None,
		"Executors by state: active, excluded from scheduling, or dead and still remembered by the driver", "state")
}

// SparkExecutorMemory is what executors took at most.
func SparkExecutorMemory() Metric {
	return sparkGauge("spark_executor_memory_peak_bytes", Bytes,
		"Highest memory of the active executors since their start by kind: heap, off_heap, unified (execution and "+
			"storage), rss (process tree), python; summed, and of the executor with most", "kind", "agg")
}

// SparkDriverMemory is what the driver took at most.
func SparkDriverMemory() Metric {
	return sparkGauge("spark_driver_memory_peak_bytes", Bytes,
		"Highest memory of a driver that runs no tasks since its start by kind: heap, off_heap, rss", "kind")
}

// SparkTaskSlots is how many tasks fit at once.
func SparkTaskSlots() Metric {
	return sparkGauge("spark_executor_task_slots", None, "Tasks that the active executors can run at once")
}

// SparkActiveTasks is how many tasks run.
func SparkActiveTasks() Metric {
	return sparkGauge("spark_executor_active_tasks", None, "Tasks that run now")
}

// SparkGCRatio is the share of garbage collection.
func SparkGCRatio() Metric {
	return sparkGauge("spark_executor_gc_ratio", None,
		"Share of its task time that the worst executor spent in garbage collection since the last collection")
}

// SparkExecutorsRemoved counts executors that died.
func SparkExecutorsRemoved() Metric {
	return sparkCounter("spark_executors_removed_total", None,
		"Executors removed by class of the reason: oom, evicted, lost, decommissioned, other", "reason")
}

// SparkTasks counts tasks, those of dead executors too.
func SparkTasks() Metric {
	return sparkCounter("spark_tasks_total", None,
		"Tasks that ended, those of dead executors too, by result: completed, failed or killed", "result")
}

// SparkJobs counts jobs.
func SparkJobs() Metric {
	return sparkCounter("spark_jobs_total", None, "Jobs that ended by status: succeeded or failed", "status")
}

// SparkJobDuration is how long jobs took.
func SparkJobDuration() Metric {
	m := sparkGauge("spark_job_duration_seconds", Seconds, "Time from a job's submission to its end")
	m.Kind, m.Buckets = Histogram, []float64{1, 10, 60, 600}
	return m
}

// SparkStageDuration is how long stages took.
func SparkStageDuration() Metric {
	m := sparkGauge("spark_stage_duration_seconds", Seconds, "Time from a stage's submission to its end")
	m.Kind, m.Buckets = Histogram, []float64{1, 10, 60, 600}
	return m
}

// SparkStageCPU is the CPU time of tasks.
func SparkStageCPU() Metric {
	return sparkCounter("spark_stage_cpu_seconds_total", Seconds,
		"CPU time of the tasks of ended stages by streaming query; query is empty for other work", "query")
}

// SparkStageRun is the time of tasks.
func SparkStageRun() Metric {
	return sparkCounter("spark_stage_run_seconds_total", Seconds,
		"Run time of the tasks of ended stages by streaming query; query is empty for other work", "query")
}

// SparkStageSkew is how unequal tasks are.
func SparkStageSkew() Metric {
	return sparkGauge("spark_stage_skew_ratio", None,
		"Highest over median task of the last stage that took more than 5 seconds: its duration, or its shuffle bytes",
		"of")
}

// SparkInputBytes counts bytes read from sources.
func SparkInputBytes() Metric {
	return sparkCounter("spark_input_bytes_total", Bytes, "Bytes that tasks read from files; Kafka does not count")
}

// SparkOutputBytes counts bytes written to sinks.
func SparkOutputBytes() Metric {
	return sparkCounter("spark_output_bytes_total", Bytes, "Bytes that the tasks of ended stages wrote")
}

// SparkShuffleBytes counts bytes of shuffles.
func SparkShuffleBytes() Metric {
	return sparkCounter("spark_shuffle_bytes_total", Bytes, "Bytes of shuffles by direction: read or write", "direction")
}

// SparkSpillBytes counts spilled bytes.
func SparkSpillBytes() Metric {
	return sparkCounter("spark_spill_bytes_total", Bytes,
		"Bytes that the tasks of ended stages spilled: their size in memory, and on disk", "to")
}

// SparkEventsDropped counts what the driver itself lost.
func SparkEventsDropped() Metric {
	return sparkCounter("spark_listener_events_dropped_total", None,
		"Events that the driver dropped because its listeners were slow: its own figures are then too low")
}

// SparkPollErrors counts requests to a driver that went wrong.
func SparkPollErrors() Metric {
	return sparkCounter("spark_poll_errors_total", None,
		"Requests to the driver that went wrong by class: timeout, unreachable, tls, status, html, garbled, too_long, "+
			"credentials", "class")
}

// SparkPollMissed counts what was forgotten before it was read.
func SparkPollMissed() Metric {
	return sparkCounter("spark_poll_missed_total", None,
		"Jobs and stages that the driver forgot, or that the budget of a poll left out, before they were counted", "list")
}

// SparkSourceUp says whether a source of applications answers.
func SparkSourceUp() Metric {
	return Metric{
		Name: "spark_discovery_up", Kind: Gauge, Labels: []string{"source", "target"},
		Help: "1 when the source of applications (kubernetes, history, master, checkpoints) answered when last asked, else 0",
	}
}

// SparkAppsDropped counts applications above the limit.
func SparkAppsDropped() Metric {
	return Metric{
		Name: "spark_discovery_dropped_apps", Kind: Gauge,
		Help: "Applications that were found and are not collected because there are more than the limit",
	}
}

// SparkMasterUp says whether a standalone master is alive.
func SparkMasterUp() Metric {
	return Metric{
		Name: "spark_master_up", Kind: Gauge, Labels: []string{"master"},
		Help: "1 when the standalone master says that it is alive, 0 when it is in standby or recovering",
	}
}

// SparkMasterWorkers counts the workers of a standalone cluster.
func SparkMasterWorkers() Metric {
	return Metric{
		Name: "spark_master_workers", Kind: Gauge, Labels: []string{"master", "state"},
		Help: "Workers of the standalone cluster by state: alive or other",
	}
}

// SparkMasterCores counts the cores of a standalone cluster.
func SparkMasterCores() Metric {
	return Metric{
		Name: "spark_master_cores", Kind: Gauge, Labels: []string{"master", "state"},
		Help: "Cores of the alive workers of the standalone cluster: total and used",
	}
}

// SparkMasterMemory is the memory of a standalone cluster.
func SparkMasterMemory() Metric {
	return Metric{
		Name: "spark_master_memory_bytes", Kind: Gauge, Unit: Bytes, Labels: []string{"master", "state"},
		Help: "Memory of the alive workers of the standalone cluster: total and used",
	}
}

// SparkMasterApps counts the applications of a standalone cluster.
func SparkMasterApps() Metric {
	return Metric{
		Name: "spark_master_apps", Kind: Gauge, Labels: []string{"master", "state"},
		Help: "Applications of the standalone cluster by state: waiting or running",
	}
}
