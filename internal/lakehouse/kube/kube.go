// Package kube asks the Kubernetes API which pods there are.
//
// A value flows like this: [New] makes a [Client] from the service account that
// a pod has, or from explicit paths; [Client.Pods] lists the pods that a label
// selector chooses, page by page, and keeps of each what says where it is, what
// it belongs to and how it ended.
//
// It reads pods only, needs the verb list on them, changes nothing and watches
// nothing.
package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/httpjson"
)

// Where a pod finds its service account, and the API.
const (
	account       = "/var/run/secrets/kubernetes.io/serviceaccount/"
	defaultServer = "https://kubernetes.default.svc"
)

const (
	pageSize = 100 // pods of some 10 to 20 KB each
	maxPages = 20
)

// Options say where the API is; every zero value is what a pod has.
type Options struct {
	Server    string // default https://kubernetes.default.svc
	TokenFile string // read for every request
	CAFile    string // read again when it changes
	Timeout   time.Duration
}

// Client asks one API server. It is safe for concurrent use.
type Client struct {
	http   *httpjson.Client
	server string
}

// New makes a client. It asks nothing and reads no file.
func New(o Options) (*Client, error) {
	inCluster := o.Server == ""
	if inCluster {
		o.Server = defaultServer
	}
	if o.TokenFile == "" && inCluster {
		o.TokenFile = account + "token"
	}
	if o.CAFile == "" && inCluster {
		o.CAFile = account + "ca.crt"
	}
	u, err := url.Parse(o.Server)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fail.New(fail.Usage, "write it as https://host:6443",
			"reading the address of the Kubernetes API: %q is not one", o.Server)
	}
	return &Client{server: strings.TrimRight(o.Server, "/"), http: httpjson.New(httpjson.Options{
		Server:    "the Kubernetes API",
		Setting:   "check the address of the API server, and that the service account may list pods",
		TokenFile: o.TokenFile, CAFile: o.CAFile, Timeout: o.Timeout,
	})}, nil
}

// Server is the address of the API.
func (c *Client) Server() string { return c.server }

// Close ends idle connections.
func (c *Client) Close() { c.http.Close() }

// Namespace returns the namespace of the pod that we run in.
func Namespace() (string, error) {
	data, err := os.ReadFile(account + "namespace")
	if err != nil {
		return "", fail.Wrap(fmt.Errorf("reading our own namespace: %w", err), fail.Usage,
			"name the namespaces: this process does not run in a pod")
	}
	return strings.TrimSpace(string(data)), nil
}

// Pod is what is kept of a pod.
type Pod struct {
	Namespace, Name, UID string
	Labels, Annotations  map[string]string
	Created              time.Time
	Phase                string // Pending, Running, Succeeded, Failed, Unknown
	Reason               string // of the phase, such as Evicted
	IP                   string
	Ports                []Port
	Terminated           []Terminated // containers that ended and did not start again
}

// Port is a port that a container declares.
type Port struct {
	Name   string `json:"name"`
	Number int    `json:"containerPort"`
}

// Terminated is how a container ended.
type Terminated struct {
	Container string
	Reason    string // such as OOMKilled, Error, Completed
	ExitCode  int
	Finished  time.Time
}

// Pods lists the pods of a namespace, "" for all of them, that the selector
// chooses. A list of more than 2,000 is an error.
func (c *Client) Pods(ctx context.Context, namespace, selector string) ([]Pod, error) {
	path := "/api/v1/pods"
	if namespace != "" {
		path = "/api/v1/namespaces/" + url.PathEscape(namespace) + "/pods"
	}
	query := url.Values{"limit": {fmt.Sprint(pageSize)}}
	if selector != "" {
		query.Set("labelSelector", selector)
	}
	var pods []Pod
	for range maxPages {
		var page podList
		err := c.http.Get(ctx, c.server+path+"?"+query.Encode(), nil, func(r io.Reader) error {
			return json.NewDecoder(r).Decode(&page)
		})
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			pods = append(pods, page.Items[i].pod())
		}
		if page.Metadata.Continue == "" {
			return pods, nil
		}
		query.Set("continue", page.Metadata.Continue)
	}
	return nil, fail.Wrap(errors.New("listing pods: there are too many"), fail.Usage,
		"name the namespaces to look in, or narrow the label selector")
}
