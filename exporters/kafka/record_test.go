package kafka

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters/exportertest"
)

// Recording is what real brokers answered to one collection of every default
// collector. TestRecord makes it, with -update.
type Recording struct {
	At    time.Time // the exporter's clock, which stood still
	Calls []Call
}

// Call is one request with its answer, without their headers. The ports of
// brokers in it are those of [portOf].
type Call struct {
	Broker   int32  `json:"broker"`
	API      string `json:"api"`
	Key      int16  `json:"key"`
	Version  int16  `json:"version"`
	Request  []byte `json:"request"`
	Response []byte `json:"response"`
}

// portOf is what a page and a recording show as the port of a broker.
func portOf(broker int32) int32 { return 9090 + broker }

// TestRecorded holds the page of every recorded version against its file.
func TestRecorded(t *testing.T) {
	dirs, _ := filepath.Glob("testdata/kafka/*")
	if len(dirs) == 0 {
		t.Fatal("there is no recording")
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			r, golden := ReadRecording(t, dir), filepath.Join(dir, "page.prom")
			exportertest.GoldenText(t, r.Play(t), golden)
			if exportertest.Update() {
				return
			}
			r.alter(t, "idle") // the negative control: one offset of one answer is another
			c := &complaints{TB: t}
			exportertest.GoldenText(c, r.Play(t), golden)
			if !strings.Contains(c.text, `kafka_consumergroup_current_offset{consumergroup="idle"`) {
				t.Errorf("another offset passes for the recorded one: %q", c.text)
			}
		})
	}
}

// complaints takes down what a test would be failed with.
type complaints struct {
	testing.TB
	text string
}

func (c *complaints) Errorf(format string, args ...any) { c.text += fmt.Sprintf(format, args...) }

// alter moves the first offset that a group committed on by one. A group that is
// at its end is there still, so that the collectors ask the same questions.
func (r *Recording) alter(t *testing.T, group string) {
	t.Helper()
	for i := range r.Calls {
		resp, _ := r.Calls[i].answer(t).(*kmsg.OffsetFetchResponse)
		for j := 0; resp != nil && j < len(resp.Groups); j++ {
			if g := &resp.Groups[j]; g.Group == group {
				g.Topics[0].Partitions[0].Offset++
				r.Calls[i].Response = resp.AppendTo(nil)
				return
			}
		}
	}
	t.Fatalf("no answer has the offsets of %s", group)
}

// Play returns the page that the collectors make of the recorded answers.
func (r *Recording) Play(t testing.TB) string {
	t.Helper()
	var ids []int32
	answers := map[string][]*Call{}
	for i := range r.Calls {
		c := &r.Calls[i]
		ids = append(ids, c.Broker)
		answers[c.question()] = append(answers[c.question()], c)
	}
	slices.Sort(ids)
	return collectFrom(t, r.At, slices.Compact(ids), func(c Call, _ kmsg.Request) (kmsg.Response, error) {
		list := answers[c.question()]
		if len(list) == 0 {
			t.Errorf("no answer of broker %d to %s v%d %x was recorded; record again as TestRecord says",
				c.Broker, c.API, c.Version, c.Request)
			return nil, io.EOF
		}
		if len(list) > 1 { // the last counts for all that follow
			answers[c.question()] = list[1:]
		}
		return list[0].answer(t), nil
	})
}

// Record returns what brokers that a client knows answer to one collection, and
// its page.
func Record(t testing.TB, cl *kgo.Client, ids []int32) (*Recording, string) {
	t.Helper()
	r := &Recording{At: time.Now().UTC().Truncate(time.Millisecond)}
	return r, collectFrom(t, r.At, ids, func(c Call, req kmsg.Request) (kmsg.Response, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		resp, err := cl.Broker(int(c.Broker)).Request(ctx, req)
		if err == nil && resp.GetVersion() != c.Version && c.Key != int16(kmsg.ApiVersions) {
			err = fmt.Errorf("answering in version %d: %w", resp.GetVersion(), errType)
		}
		if err != nil {
			t.Errorf("asking broker %d for %s v%d: %v", c.Broker, c.API, c.Version, err)
			return nil, err
		}
		readdress(resp, portOf)
		if dirs, ok := resp.(*kmsg.DescribeLogDirsResponse); ok { // paths of a machine
			for i := range dirs.Dirs {
				dirs.Dirs[i].Dir = fmt.Sprintf("/var/lib/kafka/%d", i)
			}
		}
		c.Version, c.Response = resp.GetVersion(), resp.AppendTo(nil)
		r.Calls = append(r.Calls, c)
		return resp, nil
	})
}

type answerer func(Call, kmsg.Request) (kmsg.Response, error)

// collectFrom is the page of one collection of every default collector, settings
// first, at a time that stands still. The brokers are servers of this process
// that say what answer says, one request at a time: kfake lends the transport.
func collectFrom(t testing.TB, at time.Time, ids []int32, answer answerer) string {
	t.Helper()
	f := newFake(t, kfake.NumBrokers(len(ids)))
	ports, names := map[int32]int32{}, []string{}
	for i, addr := range f.ListenAddrs() {
		_, port, _ := net.SplitHostPort(addr)
		n, _ := strconv.Atoi(port)
		ports[ids[i]] = int32(n)
		names = append(names, addr, fmt.Sprintf("127.0.0.1:%d", portOf(ids[i])))
	}
	f.Control(func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		c := Call{Broker: ids[f.CurrentNode()], API: kmsg.NameForKey(req.Key()), Key: req.Key(), Version: req.GetVersion()}
		c.Request = req.AppendTo(nil)
		resp, err := answer(c, req)
		switch {
		case err != nil:
		case resp.GetVersion() != c.Version:
			resp = tooNew(resp.GetVersion())
		default:
			readdress(resp, func(broker int32) int32 { return ports[broker] })
		}
		return resp, err, true
	})
	opts := f.options()
	opts.now = func() time.Time { return at }
	all, err := Collectors(opts, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var text string
	for _, c := range slices.Backward(all) {
		text += exportertest.Collect(t, c)
	}
	return regexp.MustCompile(`(?m)^(kafka_exporter_build_info)\{.*$`).ReplaceAllString(
		strings.NewReplacer(names...).Replace(text), "$1{} 1")
}

// readdress gives the brokers in an answer other ports. The collectors ask for
// them nowhere but in the metadata.
func readdress(resp kmsg.Response, port func(broker int32) int32) {
	if r, ok := resp.(*kmsg.MetadataResponse); ok {
		for i := range r.Brokers {
			r.Brokers[i].Port = port(r.Brokers[i].NodeID)
		}
	}
}

// tooNew is what a broker says to who asks for its versions in one that it does
// not have; the client then asks in the newest that there is. Franz-go does so
// out of sight, and no other request is made in a version that the broker lacks.
func tooNew(newest int16) kmsg.Response {
	resp := kmsg.NewPtrApiVersionsResponse()
	resp.ErrorCode = kerr.UnsupportedVersion.Code
	resp.ApiKeys = []kmsg.ApiVersionsResponseApiKey{{ApiKey: resp.Key(), MaxVersion: newest}}
	return resp
}

// question is what equal calls have in common. The client's name and version
// are nobody's business, and which broker tells of the cluster is chance.
func (c *Call) question() string {
	switch kmsg.Key(c.Key) {
	case kmsg.Metadata:
		return fmt.Sprintf("%03d v%d", c.Key, c.Version)
	case kmsg.ApiVersions:
		return fmt.Sprintf("%03d %d", c.Key, c.Broker)
	default:
		return fmt.Sprintf("%03d %d v%d %x", c.Key, c.Broker, c.Version, c.Request)
	}
}

// answer is the response, decoded.
func (c *Call) answer(t testing.TB) kmsg.Response {
	req := kmsg.RequestForKey(c.Key)
	req.SetVersion(c.Version)
	resp := req.ResponseKind()
	if err := resp.ReadFrom(c.Response); err != nil {
		t.Errorf("reading an answer to %s v%d: %v", c.API, c.Version, err)
	}
	return resp
}

// ReadRecording reads what [Recording.Write] wrote.
func ReadRecording(t testing.TB, dir string) *Recording {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "calls.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	r, from := &Recording{}, json.NewDecoder(bytes.NewReader(raw))
	for err = from.Decode(&r.At); err == nil; {
		var c Call
		if err = from.Decode(&c); err == nil {
			r.Calls = append(r.Calls, c)
		}
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return r
}

// Write writes a line with the time and one for each call, in an order of their
// own; equal requests stay in that of their answers.
func (r *Recording) Write(t testing.TB, dir string) {
	t.Helper()
	slices.SortStableFunc(r.Calls, func(a, b Call) int { return strings.Compare(a.question(), b.question()) })
	var out bytes.Buffer
	to := json.NewEncoder(&out)
	err := to.Encode(r.At)
	for _, c := range r.Calls {
		err = errors.Join(err, to.Encode(c))
	}
	file := filepath.Join(dir, "calls.jsonl")
	if err = errors.Join(err, os.MkdirAll(dir, 0o755), os.WriteFile(file, out.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
}
