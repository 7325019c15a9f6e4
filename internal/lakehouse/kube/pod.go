package kube

import "time"

// podList is the part of a PodList of the core API, v1, that is used.
type podList struct {
	Metadata struct {
		Continue string `json:"continue"`
	} `json:"metadata"`
	Items []podItem `json:"items"`
}

type podItem struct {
	Metadata struct {
		Namespace   string            `json:"namespace"`
		Name        string            `json:"name"`
		UID         string            `json:"uid"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
		Created     time.Time         `json:"creationTimestamp"`
	} `json:"metadata"`
	Spec struct {
		Containers []struct {
			Ports []Port `json:"ports"`
		} `json:"containers"`
	} `json:"spec"`
	Status struct {
		Phase      string            `json:"phase"`
		Reason     string            `json:"reason"`
		IP         string            `json:"podIP"`
		Containers []containerStatus `json:"containerStatuses"`
	} `json:"status"`
}

type containerStatus struct {
	Name  string `json:"name"`
	State struct {
		Terminated *struct {
			Reason   string    `json:"reason"`
			ExitCode int       `json:"exitCode"`
			Finished time.Time `json:"finishedAt"`
		} `json:"terminated"`
	} `json:"state"`
}

func (i *podItem) pod() Pod {
	p := Pod{
		Namespace: i.Metadata.Namespace, Name: i.Metadata.Name, UID: i.Metadata.UID,
		Labels: i.Metadata.Labels, Annotations: i.Metadata.Annotations, Created: i.Metadata.Created,
		Phase: i.Status.Phase, Reason: i.Status.Reason, IP: i.Status.IP,
	}
	for _, c := range i.Spec.Containers {
		p.Ports = append(p.Ports, c.Ports...)
	}
	for _, c := range i.Status.Containers {
		if t := c.State.Terminated; t != nil {
			p.Terminated = append(p.Terminated, Terminated{
				Container: c.Name, Reason: t.Reason, ExitCode: t.ExitCode, Finished: t.Finished,
			})
		}
	}
	return p
}
