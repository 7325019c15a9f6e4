package spark

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Offsets is what a batch was planned to read (org.apache.spark.sql.execution.
// streaming: OffsetSeqLog, OffsetSeq).
type Offsets struct {
	Version   int       // of the file's format: 1 or 2
	Planned   time.Time // batchTimestampMs, by the driver's clock; zero where it is not said
	Watermark time.Time // batchWatermarkMs; zero without a watermark
	Sources   []Source  // of the query, in order
}

// Source is one source of a query.
type Source struct {
	Name string // its number or its name
	// Topics is the next offset by topic and partition; nil where the source is
	// not Kafka or has no offset ("-").
	Topics map[string]map[int32]int64
}

// Ends returns the offsets after the batch's last record of all Kafka sources
// together, by topic and partition. Two sources may read the same topic: the
// further one counts.
func (o *Offsets) Ends() map[string]map[int32]int64 {
	ends := map[string]map[int32]int64{}
	for _, s := range o.Sources {
		Merge(ends, s.Topics)
	}
	return ends
}

// Merge adds offsets to others; of two for the same partition the higher counts.
func Merge(into, from map[string]map[int32]int64) {
	for topic, partitions := range from {
		if into[topic] == nil {
			into[topic] = make(map[int32]int64, len(partitions))
		}
		for p, at := range partitions {
			if have, ok := into[topic][p]; !ok || at > have {
				into[topic][p] = at
			}
		}
	}
}

const (
	noOffset   = "-" // OffsetSeqLog.SERIALIZED_VOID_OFFSET
	maxVersion = 2
)

var errEmpty = errors.New("the file is empty")

// ParseOffsets reads a file of the offset log. It begins with its version; then
// come the batch's metadata and the offsets, one source a line. In version 1 a
// line is the offset alone, "-" for none; in version 2 it has its source's name
// and a colon before it, or one line is a JSON object of all sources by name.
func ParseOffsets(data []byte) (*Offsets, error) {
	version, lines, err := header(data)
	if err != nil {
		return nil, err
	}
	o := &Offsets{Version: version}
	if len(lines) == 0 {
		return nil, errors.New("the batch's metadata is missing")
	}
	if o.Planned, o.Watermark, err = parseBatchMetadata(lines[0]); err != nil {
		return nil, err
	}
	for i, line := range lines[1:] {
		name := strconv.Itoa(i)
		if version > 1 {
			if named, ok := namedSources(line); ok {
				o.Sources = append(o.Sources, named...)
				continue
			}
			if before, after, ok := strings.Cut(line, ":"); ok && before != "" && !strings.ContainsAny(before, "{[\"") {
				name, line = before, after
			}
		}
		topics, err := parseOffset(line)
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", name, err)
		}
		o.Sources = append(o.Sources, Source{Name: name, Topics: topics})
	}
	if len(o.Sources) == 0 {
		return nil, errors.New("the offsets are missing: the file is cut off")
	}
	return o, nil
}

// header checks the version and returns the lines behind it.
func header(data []byte) (version int, lines []string, err error) {
	text := strings.TrimRight(string(data), "\r\n")
	if text == "" {
		return 0, nil, errEmpty
	}
	all := strings.Split(text, "\n")
	for i := range all {
		all[i] = strings.TrimSuffix(all[i], "\r")
	}
	digits, ok := strings.CutPrefix(all[0], "v")
	version, err = strconv.Atoi(digits)
	switch {
	case !ok || err != nil || version < 1:
		return 0, nil, fmt.Errorf("it begins with %.20q, not with a version such as v1", all[0])
	case version > maxVersion:
		return 0, nil, fmt.Errorf("it is of version v%d, this program reads v1 to v%d", version, maxVersion)
	}
	return version, all[1:], nil
}

// parseBatchMetadata reads OffsetSeqMetadata. Spark 2.0 wrote none: an empty line.
func parseBatchMetadata(line string) (planned, watermark time.Time, err error) {
	if line == "" || line == noOffset {
		return planned, watermark, nil
	}
	var m struct {
		Watermark int64 `json:"batchWatermarkMs"`
		Timestamp int64 `json:"batchTimestampMs"`
	}
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		return planned, watermark, fmt.Errorf("the batch's metadata: %w", err)
	}
	if m.Timestamp > 0 {
		planned = time.UnixMilli(m.Timestamp)
	}
	if m.Watermark > 0 {
		watermark = time.UnixMilli(m.Watermark)
	}
	return planned, watermark, nil
}

// parseOffset reads the offset of one source. Anything but Kafka's is a JSON
// value of another shape, and no error.
func parseOffset(line string) (map[string]map[int32]int64, error) {
	if line == noOffset {
		return nil, nil
	}
	if !json.Valid([]byte(line)) {
		return nil, fmt.Errorf("offset %.60q is not JSON", line)
	}
	return kafkaOffset([]byte(line)), nil
}

// kafkaOffset reads {"topic":{"0":12,"1":7}}, or returns nil.
func kafkaOffset(data []byte) map[string]map[int32]int64 {
	var raw map[string]map[string]int64
	if json.Unmarshal(data, &raw) != nil || raw == nil {
		return nil
	}
	topics := make(map[string]map[int32]int64, len(raw))
	for topic, partitions := range raw {
		if partitions == nil {
			return nil
		}
		topics[topic] = make(map[int32]int64, len(partitions))
		for text, at := range partitions {
			p, err := strconv.ParseInt(text, 10, 32)
			if err != nil || p < 0 {
				return nil
			}
			topics[topic][int32(p)] = at
		}
	}
	return topics
}

// namedSources reads {"name":OFFSET,...}, where an offset is a JSON value, a
// text that holds one, or null or "-" for none. What is itself Kafka's offset
// is not read so.
func namedSources(line string) ([]Source, bool) {
	if kafkaOffset([]byte(line)) != nil {
		return nil, false
	}
	dec := json.NewDecoder(strings.NewReader(line))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, false
	}
	var sources []Source
	kafka := false
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, false
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, false
		}
		var text string
		if json.Unmarshal(value, &text) == nil {
			value = json.RawMessage(text)
		}
		s := Source{Name: fmt.Sprint(name), Topics: kafkaOffset(value)}
		kafka = kafka || s.Topics != nil
		sources = append(sources, s)
	}
	_, err := dec.Token()
	return sources, kafka && err == nil && !dec.More()
}

// parseCommit checks a file of the commit log.
func parseCommit(data []byte) error {
	_, _, err := header(data)
	return err
}

// parseMetadata reads StreamMetadata: the query's id.
func parseMetadata(data []byte) (string, error) {
	var m struct {
		ID string `json:"id"`
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return "", errEmpty
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return "", fmt.Errorf("the query's metadata: %w", err)
	}
	if m.ID == "" {
		return "", errors.New("the query's metadata: no id")
	}
	return m.ID, nil
}

// parseInitial reads a source's first offsets: a NUL byte (for the sake of
// Spark 2.1.0, as KafkaSourceInitialOffsetWriter says), the version, the offset.
func parseInitial(data []byte) (map[string]map[int32]int64, error) {
	data = bytes.TrimLeft(data, "\x00")
	if len(data) > 0 && data[0] == '{' { // Spark 2.1.0 wrote no version
		data = append([]byte("v1\n"), data...)
	}
	_, lines, err := header(data)
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 {
		return nil, errors.New("the offsets are missing: the file is cut off")
	}
	topics, err := parseOffset(lines[0])
	if err != nil {
		return nil, err
	}
	if topics == nil {
		return nil, fmt.Errorf("offset %.60q is not Kafka's", lines[0])
	}
	return topics, nil
}
