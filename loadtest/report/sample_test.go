package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// samples are one report of each verdict, and one whose every text is hostile.
func samples() map[string]*Report {
	return map[string]*Report{
		"pass": passing(), "fail": failing(), "inconclusive": inconclusive(), "interrupted": interrupted(), "hostile": hostile(),
	}
}

func quantiles(count int64, p50, p95, p99, p999, most float64) Quantiles {
	q := Quantiles{Count: count, P50: &p50, P95: &p95, P99: &p99, P999: &p999, Max: &most}
	q.Curve = append(q.Curve, [][2]float64{{0, p50 / 4}, {25, p50 * 0.7}, {50, p50}, {75, p50 + (p95-p50)*0.4}, {95, p95}, {99, p99}, {99.9, p999}, {99.99, p999 + (most-p999)*0.7}, {100, most}}...)
	return q
}

// passing is a clean run of two minutes on a home lab with a trigger of 5 s.
func passing() *Report {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := &Report{
		SchemaVersion: SchemaVersion, RunID: "20260301-120000-smoke-a1b2", ScenarioName: "smoke",
		Verdict: Pass, Reason: "all 1,200,000 records arrived once and unchanged; freshness p99 6.90 s",
		Started: start, Ended: start.Add(134 * time.Second), Duration: 134,
		Records: Records{Intended: 1_200_000, Sent: 1_200_000, Acked: 1_200_000, Consumed: 1_200_000, Seen: 1_200_000},
		Latency: Latency{
			Ack: AckLatency{
				Service:   quantiles(1_000_000, 0.0021, 0.0048, 0.0093, 0.031, 0.084),
				Corrected: quantiles(1_000_000, 0.0052, 0.0095, 0.0148, 0.047, 0.112),
				Scheduler: quantiles(1_000_000, 0.00009, 0.0004, 0.0011, 0.0052, 0.024),
			},
			Consume:   quantiles(1_000_000, 0.0071, 0.0131, 0.0212, 0.066, 0.142),
			Freshness: quantiles(1_000_000, 3.61, 6.12, 6.9, 7.21, 7.43),
		},
		Bound: new(0.25), Rate: Rate{new(10_000.0), new(9_998.4), new(9_411.8)},
		Thresholds: []Threshold{
			{"records.missing == 0", new(0.0), 0, new(0.0), "records", "whole run", true, "ok"},
			{"records.duplicate == 0", new(0.0), 0, new(0.0), "records", "whole run", true, "ok"},
			{"rate.achieved >= 99%", new(99.98), 99, new(0.98), "percent", "whole run", true, "ok"},
			{"ack.p99 < 250ms", new(0.0148), 0.25, new(0.2352), "seconds", "after the warm-up of 5s", true, "ok"},
			{"freshness.p99 < 15s", new(6.9), 15, new(8.1), "seconds", "after the warm-up of 5s", true, "ok"},
		},
		Tiers: []Tier{
			{"T0", "payments", "clean", "24 snapshots match their batch's offsets", 24, 0, 0.012},
			{"T1", "payments", "clean", "every record there once", 1_200_000, 2_913_772, 0.081},
			{"T2", "payments", "clean", "contents of all rows compared", 1_200_000, 181_403_648, 2.94},
		},
		Hops: []Hop{
			{Name: "produce-ack", What: "Kafka's answer to each produce batch", Records: 1_200_000, State: "up"},
			{Name: "consume", What: "a consumer of our own on the topics", Records: 1_200_000, State: "up"},
			{Name: "spark bronze", What: "Spark's batches, from the checkpoint", Records: 24, State: "up", Notes: []string{"24 batches"}},
			{Name: "table bronze.payments", What: "the table's snapshots, through the catalog", Records: 1_200_000, State: "up", Notes: []string{"24 snapshots"}},
		},
		Phases:    []Phase{{"steady", start, start.Add(2 * time.Minute)}},
		Generator: Generator{CPU: 41.2, PeakRSS: 118 << 20},
		Environment: Environment{
			Version: "v0.1.0", Go: "go1.26.0", OS: "linux", Arch: "amd64", CPUs: 4, Memory: 16 << 30, Host: "3f2a9c0d11e4",
			Lab: "home", Systems: []System{{"Kafka", "4.1.0, 3 brokers"}, {"Iceberg REST catalog", "Lakekeeper 0.10.2"}, {"object store", "MinIO"}},
		},
		Plan:     "10000/s for 2m0s, seed 42. Stream payments: 1200000 records of payments as json to topic payments, keyed by account_id, followed to table bronze.payments.",
		Scenario: "scenario: smoke\nseed: 42\nduration: 2m\nrate: 10000/s\nwarmup: 5s\nstreams:\n  payments: {topic: payments, partitions: 3, table: bronze.payments}\nthresholds:\n  - records.missing == 0\n  - freshness.p99 < 15s\n",
		Command:  "lakeproof loadtest run smoke --seed 42", Verify: "lakeproof loadtest verify runs/20260301-120000-smoke-a1b2",
	}
	r.Streams = []Stream{{
		Name: "payments", Topic: "payments", Partitions: 3, Table: "bronze.payments", Records: r.Records,
		Columns: Columns{"event_id", "_topic", "_partition", "_offset"},
		Checks:  []string{"missing and duplicate records, by event_id", "unexpected rows, by offset", "contents of 22 columns"},
	}}
	draw(r, 120, func(float64) bool { return false })
	return r
}

// draw fills in the series of a run of so many seconds with a trigger of 5 s;
// while away is true nothing lands.
func draw(r *Report, seconds int, away func(float64) bool) {
	rng, nan := rand.New(rand.NewPCG(1, 2)), math.NaN()
	s := &r.Series
	s.T0, s.Step = r.Started, 1
	waiting, id := 0.0, int64(0)
	total := int(r.Duration)
	for i := range total {
		at := float64(i)
		rate := 0.0
		if i < seconds {
			rate = 10_000
		}
		acked := math.Round(rate * (0.99 + 0.02*rng.Float64()))
		waiting += acked
		landed := 0.0
		if i%5 == 3 && waiting > 0 && !away(at) {
			landed, waiting = waiting, 0
			id++
			s.Batches = append(s.Batches, BatchPoint{at - 0.4, "bronze", id, int64(landed), 1.1 + landed/90_000 + rng.Float64()*0.4})
			s.Snapshots = append(s.Snapshots, SnapshotPoint{at, "bronze.payments", 7_000_000_000_000_000_000 + id, int64(landed), 3 + int64(landed)/100_000})
		}
		put := func(c *[]Number, v float64) { *c = append(*c, Number(v)) }
		put(&s.Intended, rate)
		put(&s.Acked, acked)
		put(&s.Landed, landed)
		put(&s.Lag, waiting)
		fresh, ack := 3+float64((8-i%5)%5)+rng.Float64()*0.3, 0.005+rng.Float64()*0.002
		for away(at + fresh) {
			fresh += 5
		}
		if i >= seconds {
			fresh, ack = nan, nan
		}
		put(&s.AckP50, ack)
		put(&s.AckP99, ack*2.5+rng.Float64()*0.004)
		put(&s.FreshP50, fresh-0.5)
		put(&s.FreshP99, fresh)
		put(&s.FreshMax, fresh+0.3)
		put(&s.CPU, 0.3*rate/10_000+0.05*rng.Float64())
		put(&s.RSS, 96e6+20e6*(1-math.Exp(-at/8))+rng.Float64()*1e6)
	}
}

// failing is a run with an outage and every kind of harm.
func failing() *Report {
	r := passing()
	r.Verdict, r.ExitCode = Fail, 11
	r.Reason = "of 1,200,000 acknowledged records: 17 missing, 5 duplicate, 2 corrupt, 1 unexpected; freshness.p99 is 21.4 s, wanted < 15s"
	r.Records.Seen, r.Records.Missing, r.Records.Duplicate = 1_199_983, 17, 5
	r.Records.Corrupt, r.Records.Late, r.Records.Unexpected = 2, 4, 1
	r.Streams[0].Records = r.Records
	r.Latency.Freshness = quantiles(1_000_000, 4.02, 17.3, 21.4, 22.1, 22.6)
	r.Thresholds[0] = Threshold{"records.missing == 0", new(17.0), 0, new(-17.0), "records", "whole run", false, "missed"}
	r.Thresholds[1] = Threshold{"records.duplicate == 0", new(5.0), 0, new(-5.0), "records", "whole run", false, "missed"}
	r.Thresholds[4] = Threshold{"freshness.p99 < 15s", new(21.4), 15, new(-6.4), "seconds", "after the warm-up of 5s", false, "missed"}
	r.Tiers[0].State, r.Tiers[0].Detail = "dirty", "23 snapshots match their batch's offsets; snapshot 7000000000000000009 added 49983 rows, batch 9 holds 50000 offsets"
	r.Tiers[1].State, r.Tiers[1].Detail = "dirty", "17 missing, 5 duplicate, 1 unexpected"
	r.Tiers[2].State, r.Tiers[2].Detail = "dirty", "2 rows differ"
	r.Hops[3].Outages = []Outage{{
		r.Started.Add(52 * time.Second), r.Started.Add(67*time.Second + 300*time.Millisecond),
		`asking the catalog for bronze.payments: Get "http://catalog.home:8181/v1/lab/namespaces/bronze/tables/payments": connection refused`,
	}}
	r.Phases = []Phase{{"baseline", r.Started, r.Started.Add(40 * time.Second)}, {"spike", r.Started.Add(40 * time.Second), r.Started.Add(80 * time.Second)}, {"recovery", r.Started.Add(80 * time.Second), r.Started.Add(2 * time.Minute)}}
	example := func(i int, detail string, place bool) Example {
		seq := uint64(412_345 + 1013*i)
		e := Example{
			EventID: fmt.Sprintf("0190f3c2-%04x-8abc-9def-%012x", 0x1a00+i, seq*7919), Stream: "payments", Seq: &seq, Topic: "payments",
			Partition: new(int32(i % 3)), Offset: new(int64(137_000 + 311*i)), Table: "bronze.payments",
			Intended: new(r.Started.Add(time.Duration(seq) * 100 * time.Microsecond)), Detail: detail,
		}
		if place {
			e.Snapshot, e.File = 7_000_000_000_000_000_009, fmt.Sprintf("s3://datalake/bronze/payments/data/00000-%d-5a1f0c.parquet", 27+i)
		}
		return e
	}
	e := &r.Examples
	for i := range 17 {
		e.Missing = append(e.Missing, example(i, "acknowledged by the broker, not in the table", false))
		r.Ranges.Missing = append(r.Ranges.Missing, Range{"payments", *e.Missing[i].Seq, *e.Missing[i].Seq})
	}
	for i := range 5 {
		e.Duplicate = append(e.Duplicate, example(40+i, "row 2 of 2 of this record", true))
		e.Late = append(e.Late[:min(i, 3)], example(60+i, "seen 22.6 s after it was due, allowed 20s", true))
	}
	e.Corrupt = []Example{example(80, "amount_minor: is 129901, sent 129900", true), example(81, `currency: is "EUR", sent "KRW"`, true)}
	stranger := example(90, "a row with an event_id that is not of this run", true)
	stranger.Seq, stranger.Intended, stranger.EventID = nil, nil, "7b0f1d52-6f3e-4c55-8a17-2f9f6f0a7d11"
	e.Unexpected = []Example{stranger}
	r.Series = Series{}
	draw(r, 120, func(at float64) bool { return at >= 50 && at < 68 })
	return r
}

// inconclusive is a run of the embedded lab whose generator could not keep up.
func inconclusive() *Report {
	r := passing()
	r.Verdict, r.ExitCode = Inconclusive, 12
	r.Reason = "the generator was the bottleneck: 220,114 of 1,200,000 records left more than 250ms late through its own fault"
	r.Generator.Late, r.Generator.Bottleneck = 220_114, true
	r.Environment.Embedded, r.Environment.Lab, r.Environment.Systems = true, "embedded", nil
	r.Thresholds = append(r.Thresholds, Threshold{"freshness.p99 < 15s during spike", nil, 15, nil, "seconds", "spike", false, "no_data"})
	return r
}

// interrupted is a run that ended before a snapshot was seen.
func interrupted() *Report {
	r := passing()
	r.Verdict, r.ExitCode, r.Reason = Interrupted, 130, "interrupted after 31,000 records"
	r.Ended, r.Duration = r.Started.Add(9*time.Second), 9
	r.Records = Records{Intended: 31_200, Sent: 31_100, Acked: 31_000, Unknown: 100, Seen: 31_002, Consumed: 31_000}
	r.Streams[0].Records = r.Records
	r.Latency.Freshness, r.Bound, r.Rate = Quantiles{}, nil, Rate{}
	r.Thresholds = []Threshold{{"freshness.p99 < 15s", nil, 15, nil, "seconds", "whole run", false, "no_data"}}
	r.Tiers = []Tier{{"T1", "payments", "not possible", "the table has no column event_id", 0, 0, 0}}
	r.Series = Series{}
	r.Phases = []Phase{{"steady", r.Started, r.Started.Add(2 * time.Minute)}}
	return r
}

// evil is text that tries to leave every format.
const evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>'\"`|](javascript:alert(3)) @all ]]>\x1b[31m\x00\u202e\nnext $(x) {{.}} \\' \xff"

// hostile is a failing run whose every text is evil.
func hostile() *Report {
	r := failing()
	for _, s := range []*string{
		&r.RunID, &r.ScenarioName, &r.Reason, &r.Plan, &r.Scenario, &r.Command, &r.Verify, &r.Environment.Version, &r.Environment.Lab,
		&r.Environment.Host, &r.Streams[0].Name, &r.Streams[0].Topic, &r.Streams[0].Table, &r.Thresholds[0].Expression, &r.Thresholds[0].Window,
		&r.Tiers[0].Detail, &r.Tiers[0].Stream, &r.Hops[0].Name, &r.Hops[0].What, &r.Hops[3].Outages[0].Error, &r.Hops[3].Name,
		&r.Phases[0].Name, &r.Environment.Systems[0].Name, &r.Environment.Systems[0].Version, &r.Series.Batches[0].App, &r.Series.Snapshots[0].Table,
	} {
		*s = evil
	}
	r.Streams[0].Checks[0], r.Hops[2].Notes[0], r.Ranges.Missing[0].Stream = evil, evil, evil
	for _, list := range [][]Example{r.Examples.Missing, r.Examples.Duplicate, r.Examples.Corrupt, r.Examples.Late, r.Examples.Unexpected} {
		for i := range list {
			e := &list[i]
			e.EventID, e.Stream, e.Topic, e.Table, e.File, e.Detail = evil, evil, evil, evil, evil, evil
		}
	}
	return r
}
