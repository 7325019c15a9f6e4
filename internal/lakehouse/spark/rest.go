package spark

import (
	"context"
	"net/url"
	"strconv"
	"strings"
)

// Run is one run of an application. Attempt is only there where a cluster
// manager starts drivers again under the same id (YARN).
type Run struct{ ID, Attempt string }

func (r Run) path() string {
	p := "/api/v1/applications/" + url.PathEscape(r.ID)
	if r.Attempt != "" {
		p += "/" + url.PathEscape(r.Attempt)
	}
	return p
}

// String is the id, with the attempt where there is one.
func (r Run) String() string {
	if r.Attempt == "" {
		return r.ID
	}
	return r.ID + "/" + r.Attempt
}

// Application is an application with its runs, the newest first.
type Application struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Attempts []Attempt `json:"attempts"`
}

// Attempt is one run of an application.
type Attempt struct {
	ID        string `json:"attemptId"`
	Start     Time   `json:"startTime"`
	End       Time   `json:"endTime"` // zero while it runs
	Completed bool   `json:"completed"`
	Version   string `json:"appSparkVersion"`
}

// Latest returns the newest run, and the zero Attempt where none is named.
func (a Application) Latest() (Run, Attempt) {
	if len(a.Attempts) == 0 {
		return Run{ID: a.ID}, Attempt{}
	}
	return Run{ID: a.ID, Attempt: a.Attempts[0].ID}, a.Attempts[0]
}

// Applications returns what the UI knows: of a driver's, the one application.
func (u *UI) Applications(ctx context.Context) ([]Application, error) {
	return one[[]Application](ctx, u, "/api/v1/applications")
}

// Executor is what an executor, or the driver, did and holds.
type Executor struct {
	ID            string     `json:"id"`
	Active        bool       `json:"isActive"`
	Excluded      bool       `json:"isExcluded"`
	MaxTasks      Number     `json:"maxTasks"`
	ActiveTasks   Number     `json:"activeTasks"`
	FailedTasks   Number     `json:"failedTasks"`
	DoneTasks     Number     `json:"completedTasks"`
	TaskMillis    Number     `json:"totalDuration"` // of a driver in local mode: its uptime
	GCMillis      Number     `json:"totalGCTime"`
	InputBytes    Number     `json:"totalInputBytes"`
	ShuffleRead   Number     `json:"totalShuffleRead"`
	ShuffleWrite  Number     `json:"totalShuffleWrite"`
	StorageUsed   Number     `json:"memoryUsed"`
	StorageMemory Number     `json:"maxMemory"`
	RemoveReason  string     `json:"removeReason"`
	Peak          PeakMemory `json:"peakMemoryMetrics"`
}

// Driver is the id of the driver among the executors.
const Driver = "driver"

// PeakMemory is the highest of each kind since the executor's start, in bytes.
// Those of the process tree are 0 where Spark is not told to measure them.
type PeakMemory struct {
	Heap      Number `json:"JVMHeapMemory"`
	OffHeap   Number `json:"JVMOffHeapMemory"`
	OnHeapUse Number `json:"OnHeapUnifiedMemory"`
	OffUse    Number `json:"OffHeapUnifiedMemory"`
	JVMRSS    Number `json:"ProcessTreeJVMRSSMemory"`
	PythonRSS Number `json:"ProcessTreePythonRSSMemory"`
	OtherRSS  Number `json:"ProcessTreeOtherRSSMemory"`
}

// AllExecutors returns the executors, with the newest of those that are gone.
func (u *UI) AllExecutors(ctx context.Context, run Run) ([]Executor, error) {
	return one[[]Executor](ctx, u, run.path()+"/allexecutors")
}

// The states of a [Job].
const (
	JobRunning   = "RUNNING"
	JobSucceeded = "SUCCEEDED"
	JobFailed    = "FAILED"
)

// Job is one job of an application.
type Job struct {
	ID            int    `json:"jobId"`
	Status        string `json:"status"`
	Description   string `json:"description"`
	Submitted     Time   `json:"submissionTime"`
	Completed     Time   `json:"completionTime"`
	StageIDs      []int  `json:"stageIds"`
	KilledTasks   Number `json:"numKilledTasks"`
	SkippedStages Number `json:"numSkippedStages"`
}

// Jobs gives the jobs to visit, the newest first, until it returns false.
func (u *UI) Jobs(ctx context.Context, run Run, visit func(Job) bool) error {
	return each(ctx, u, run.path()+"/jobs", visit)
}

// Job returns one job; fs.ErrNotExist where Spark has forgotten it.
func (u *UI) Job(ctx context.Context, run Run, id int) (Job, error) {
	return one[Job](ctx, u, run.path()+"/jobs/"+strconv.Itoa(id))
}

// StageFailed is the status of a [Stage] that did not reach its end.
const StageFailed = "FAILED"

// Stage is one attempt at a stage.
type Stage struct {
	ID            int    `json:"stageId"`
	Attempt       int    `json:"attemptId"`
	Status        string `json:"status"`
	Description   string `json:"description"`
	Tasks         Number `json:"numTasks"`
	Submitted     Time   `json:"submissionTime"`
	Completed     Time   `json:"completionTime"`
	RunMillis     Number `json:"executorRunTime"`
	CPUNanos      Number `json:"executorCpuTime"`
	OutputBytes   Number `json:"outputBytes"`
	MemorySpilled Number `json:"memoryBytesSpilled"`
	DiskSpilled   Number `json:"diskBytesSpilled"`
}

// Stages gives the stages that ended, well or not, to visit, the newest first,
// until it returns false.
func (u *UI) Stages(ctx context.Context, run Run, visit func(Stage) bool) error {
	return each(ctx, u, run.path()+"/stages?status=complete&status=failed", visit)
}

// Stage gives the attempts at one stage to visit; fs.ErrNotExist where Spark
// has forgotten it.
func (u *UI) Stage(ctx context.Context, run Run, id int, visit func(Stage) bool) error {
	return each(ctx, u, run.path()+"/stages/"+strconv.Itoa(id)+"?details=false", visit)
}

// TaskSummary is how the tasks of a stage differ: one value for each quantile.
type TaskSummary struct {
	Quantiles []Number `json:"quantiles"`
	Duration  []Number `json:"duration"` // milliseconds
	Shuffle   struct {
		ReadBytes []Number `json:"readBytes"`
	} `json:"shuffleReadMetrics"`
}

// TaskSummary returns the quantiles of a stage's tasks.
func (u *UI) TaskSummary(ctx context.Context, run Run, stage Stage, quantiles ...float64) (TaskSummary, error) {
	words := make([]string, len(quantiles))
	for i, q := range quantiles {
		words[i] = strconv.FormatFloat(q, 'f', -1, 64)
	}
	return one[TaskSummary](ctx, u, run.path()+"/stages/"+strconv.Itoa(stage.ID)+"/"+strconv.Itoa(stage.Attempt)+
		"/taskSummary?quantiles="+url.QueryEscape(strings.Join(words, ",")))
}

// Execution is one execution of SQL: of a streaming query, one batch.
type Execution struct {
	ID          int    `json:"id"`
	Status      string `json:"status"`
	Description string `json:"description"`
	Submitted   Time   `json:"submissionTime"`
	Millis      Number `json:"duration"`
	FailedJobs  []int  `json:"failedJobIds"`
}

// SQL returns length executions after the first offset ones, the oldest first.
// Spark counts the offset within what it still keeps.
func (u *UI) SQL(ctx context.Context, run Run, offset, length int) ([]Execution, error) {
	return one[[]Execution](ctx, u, run.path()+"/sql?details=false&planDescription=false&offset="+
		strconv.Itoa(offset)+"&length="+strconv.Itoa(length))
}

// Batch is the micro-batch that a job, a stage or an execution belongs to.
type Batch struct {
	Query string // its name, its id where it has none
	ID    string // of the query, as in its checkpoint
	RunID string
	Batch int64 // -1 where it is not said
}

// BatchOf reads the description that Structured Streaming gives to its jobs;
// ok is false for the job of anything else.
func BatchOf(description string) (b Batch, ok bool) {
	b.Batch = -1
	lines := strings.Split(strings.ReplaceAll(description, "<br/>", "\n"), "\n")
	for i, line := range lines {
		key, value, found := strings.Cut(line, " = ")
		switch {
		case found && key == "id":
			b.ID = value
		case found && key == "runId":
			b.RunID = value
		case found && key == "batch":
			if n, err := strconv.ParseInt(value, 10, 64); err == nil {
				b.Batch = n
			}
		case i == 0:
			b.Query = line
		}
	}
	if b.Query == "" {
		b.Query = b.ID
	}
	return b, b.ID != "" && b.RunID != ""
}
