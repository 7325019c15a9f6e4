package exporters

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/expfmt"
)

// kind is one form of the page.
type kind struct {
	format expfmt.FormatType
	gzip   bool
}

// body is the page in one form, as far as it is the same for every scraper: the
// exporter's own metrics are written behind it at each scrape.
type body struct {
	data  []byte // for gzip: deflated, flushed to a byte boundary, not ended
	crc   uint32 // of the text, for gzip
	size  uint32 // of the text, for gzip
	asked time.Time
}

// pages keeps the page in the forms that scrapers asked for lately.
type pages struct {
	exporter *Exporter

	mu      sync.RWMutex
	content *merged
	until   time.Time // when a part of the content becomes stale; zero: never
	bodies  map[kind]*body
	took    time.Duration // of the last build
	old     bool          // there is something newer than the content

	building sync.Mutex // one build at a time
}

const (
	unasked  = 5 * time.Minute // a form that nobody asked for in this time is given up
	minPause = 50 * time.Millisecond
	maxPause = 2 * time.Second
	share    = 20 // a build may take one part in this many of the time
)

func newPages(e *Exporter) *pages {
	return &pages{
		exporter: e, old: true,
		bodies: map[kind]*body{{expfmt.TypeOpenMetrics, true}: {asked: time.Now()}}, // what Prometheus asks for
	}
}

// outdate says that there is something newer than the page.
func (p *pages) outdate() {
	p.mu.Lock()
	p.old = true
	p.mu.Unlock()
}

// keep builds the page anew after each change, a little later, so that changes
// that come together are one, and when something on it has become stale.
func (p *pages) keep(ctx context.Context, wake <-chan struct{}) {
	for {
		p.mu.RLock()
		until := p.until
		pause := min(maxPause, max(minPause, share*p.took))
		p.mu.RUnlock()
		var stale <-chan time.Time
		if !until.IsZero() {
			stale = time.After(time.Until(until))
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
		case <-stale:
		}
		p.build()
	}
}

// build makes the content and all forms of the page that are in use.
func (p *pages) build() {
	p.building.Lock()
	defer p.building.Unlock()
	began := time.Now()
	p.mu.Lock()
	p.old = false
	wanted := make([]kind, 0, len(p.bodies))
	for k, b := range p.bodies {
		if began.Sub(b.asked) < unasked {
			wanted = append(wanted, k)
		} else {
			delete(p.bodies, k)
		}
	}
	p.mu.Unlock()
	content, until := p.exporter.merge()
	made := make(map[kind]*body, len(wanted))
	for _, k := range wanted {
		b, err := makeBody(content, k)
		if err != nil { // a defect of ours: the form is made again at the next request, and says so there
			p.exporter.opts.Logger.Error("making the page", "format", formatName(k.format), "err", err)
			continue
		}
		made[k] = b
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, b := range p.bodies {
		if m := made[k]; m != nil {
			m.asked = b.asked
		}
	}
	p.content, p.until, p.bodies, p.took = content, until, made, time.Since(began)
}

// get returns the page in one form: the one that is kept, or one made now.
func (p *pages) get(k kind) (*body, error) {
	now := time.Now()
	p.mu.Lock()
	b, content := p.bodies[k], p.content
	if b != nil {
		b.asked = now
		if b.data != nil {
			p.mu.Unlock()
			return b, nil
		}
	}
	p.mu.Unlock()
	if content == nil { // nothing was built yet
		p.build()
	}
	p.building.Lock()
	defer p.building.Unlock()
	p.mu.RLock()
	b, content = p.bodies[k], p.content
	p.mu.RUnlock()
	if b != nil && b.data != nil {
		return b, nil
	}
	b, err := makeBody(content, k)
	if err != nil {
		return nil, err
	}
	b.asked = now
	p.mu.Lock()
	p.bodies[k] = b
	p.mu.Unlock()
	return b, nil
}

func makeBody(m *merged, k kind) (*body, error) {
	var out bytes.Buffer
	if !k.gzip {
		if err := encode(&out, m, k.format); err != nil {
			return nil, err
		}
		return &body{data: append(make([]byte, 0, out.Len()), out.Bytes()...)}, nil
	}
	fw, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("compressing the page: %w", err)
	}
	sum := &checksum{w: fw}
	if err := encode(sum, m, k.format); err != nil {
		return nil, err
	}
	if err := fw.Flush(); err != nil {
		return nil, fmt.Errorf("compressing the page: %w", err)
	}
	return &body{data: append(make([]byte, 0, out.Len()), out.Bytes()...), crc: sum.crc, size: sum.size}, nil
}

// checksum hands on what is written and keeps what the end of a gzip file needs.
type checksum struct {
	w    io.Writer
	crc  uint32
	size uint32
}

// Write implements io.Writer.
func (c *checksum) Write(p []byte) (int, error) {
	c.crc = crc32.Update(c.crc, crc32.IEEETable, p)
	c.size += uint32(len(p)) //nolint:gosec // modulo 2^32, as RFC 1952 has it
	return c.w.Write(p)
}

// gzipHeader is RFC 1952: deflate, no name, no time, operating system unknown.
func gzipHeader() []byte { return []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff} }

// writeTo writes the page with the text behind it that ends it.
func (b *body) writeTo(w io.Writer, zipped bool, tail []byte) error {
	if !zipped {
		if _, err := w.Write(b.data); err != nil {
			return err
		}
		_, err := w.Write(tail)
		return err
	}
	var end bytes.Buffer
	fw, err := flate.NewWriter(&end, flate.HuffmanOnly)
	if err != nil {
		return fmt.Errorf("compressing the page's end: %w", err)
	}
	sum := &checksum{w: fw, crc: b.crc, size: b.size}
	if _, err := sum.Write(tail); err != nil {
		return err
	}
	if err := fw.Close(); err != nil {
		return err
	}
	for _, part := range [][]byte{
		gzipHeader(), b.data, end.Bytes(),
		binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, sum.crc), sum.size),
	} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// tail is what the exporter says of itself, and the end of the page.
func (e *Exporter) tail(format expfmt.Format) ([]byte, error) {
	families, err := e.opts.Registry.Gather()
	if err != nil {
		return nil, fmt.Errorf("gathering the exporter's own metrics: %w", err)
	}
	var out bytes.Buffer
	enc := expfmt.NewEncoder(&out, format)
	for _, f := range families {
		if err := enc.Encode(f); err != nil {
			return nil, fmt.Errorf("encoding %s: %w", f.GetName(), err)
		}
	}
	if closer, ok := enc.(expfmt.Closer); ok { // OpenMetrics ends in a line of its own
		if err := closer.Close(); err != nil {
			return nil, fmt.Errorf("ending the page: %w", err)
		}
	}
	return out.Bytes(), nil
}

// serveMetrics answers a scrape.
func (e *Exporter) serveMetrics(w http.ResponseWriter, r *http.Request) {
	if e.opts.Mode == OnScrape {
		ctx, cancel := context.WithTimeout(r.Context(), scrapeTimeout(r))
		e.Collect(ctx)
		cancel()
		if e.pages.outdated() {
			e.pages.build()
		}
	}
	format := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
	k := kind{format: format.FormatType(), gzip: acceptsGzip(r)}
	switch k.format {
	case expfmt.TypeOpenMetrics, expfmt.TypeProtoDelim, expfmt.TypeTextPlain:
	default: // forms of protobuf for people
		format = expfmt.NewFormat(expfmt.TypeTextPlain)
		k.format = expfmt.TypeTextPlain
	}
	b, err := e.pages.get(k)
	var tail []byte
	if err == nil {
		tail, err = e.tail(format)
	}
	if err != nil {
		e.opts.Logger.Error("serving the page", "err", err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", string(format))
	w.Header().Set("Vary", "Accept, Accept-Encoding")
	if k.gzip {
		w.Header().Set("Content-Encoding", "gzip")
	}
	if r.Method == http.MethodHead {
		return
	}
	_ = b.writeTo(w, k.gzip, tail) // a scraper that went away is no error
}

func (p *pages) outdated() bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.old
}

// scrapeTimeout is how long a collection on scrape may take: what Prometheus
// says, less the time for the answer.
func scrapeTimeout(r *http.Request) time.Duration {
	const answer, without = 500 * time.Millisecond, 9500 * time.Millisecond
	seconds, err := strconv.ParseFloat(r.Header.Get("X-Prometheus-Scrape-Timeout-Seconds"), 64)
	if err != nil || !(seconds > 0) || seconds > 3600 {
		return without
	}
	given := time.Duration(seconds * float64(time.Second))
	return max(given-answer, given/2)
}

func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if name != "gzip" && name != "*" {
			continue
		}
		q := strings.TrimSpace(params)
		return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
	}
	return false
}

// formatName is the name of a format as label value.
func formatName(f expfmt.FormatType) string {
	switch f {
	case expfmt.TypeOpenMetrics:
		return "openmetrics"
	case expfmt.TypeProtoDelim:
		return "protobuf"
	default:
		return "text"
	}
}
