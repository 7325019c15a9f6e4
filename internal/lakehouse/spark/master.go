package spark

import "context"

// Master is what a standalone master says of its cluster.
type Master struct {
	Status     string      `json:"status"` // ALIVE, STANDBY, RECOVERING
	Workers    []Worker    `json:"workers"`
	Cores      Number      `json:"cores"`
	CoresUsed  Number      `json:"coresused"`
	Memory     Number      `json:"memory"` // MiB
	MemoryUsed Number      `json:"memoryused"`
	Active     []MasterApp `json:"activeapps"`
	Completed  []MasterApp `json:"completedapps"`
}

// Worker is a worker of a standalone cluster.
type Worker struct {
	ID    string `json:"id"`
	State string `json:"state"` // ALIVE, DEAD, DECOMMISSIONED, UNKNOWN
}

// MasterApp is an application as a standalone master knows it.
type MasterApp struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	State string `json:"state"` // WAITING, RUNNING, FINISHED, FAILED, KILLED
}

// Master reads the page /json/ of a standalone master.
func (u *UI) Master(ctx context.Context) (Master, error) {
	return one[Master](ctx, u, "/json/")
}
