package metrics

func exporter() []Metric {
	return []Metric{
		CollectorSuccess(), CollectorPartSuccess(), CollectorAuthorized(), CollectorDuration(), CollectorLastSuccess(),
		CollectorDataAge(), CollectorSeries(), CollectorDroppedSeries(), CollectorCoarsened(),
		CollectorRequests(), CollectorResponseBytes(), CollectorCollections(),
		ExporterSeries(), ExporterSeriesBudget(), ExporterPageBytes(), ExporterPageBuildDuration(), ExporterReloads(),
	}
}

func ofCollector(more ...string) []string { return append([]string{"collector", "target"}, more...) }

// CollectorSuccess says whether the last collection was whole.
func CollectorSuccess() Metric {
	return Metric{
		Name: "lakeproof_collector_success", Kind: Gauge, Labels: ofCollector(),
		Help: "Whether the last collection and all of its parts succeeded",
	}
}

// CollectorPartSuccess says which part of a collection went wrong.
func CollectorPartSuccess() Metric {
	return Metric{
		Name: "lakeproof_collector_part_success", Kind: Gauge, Labels: ofCollector("part"),
		Help: "Whether one part of the last collection succeeded, such as one broker or one application",
	}
}

// CollectorAuthorized says which right is missing.
func CollectorAuthorized() Metric {
	return Metric{
		Name: "lakeproof_collector_authorized", Kind: Gauge, Labels: ofCollector("api"),
		Help: "Whether the system lets this exporter ask an API; 0 costs the series of that API only",
	}
}

// CollectorDuration is how long the last collection took.
func CollectorDuration() Metric {
	return Metric{
		Name: "lakeproof_collector_duration_seconds", Kind: Gauge, Unit: Seconds, Labels: ofCollector(),
		Help: "Duration of the last collection",
	}
}

// CollectorLastSuccess is when a collection last was whole.
func CollectorLastSuccess() Metric {
	return Metric{
		Name: "lakeproof_collector_last_success_timestamp_seconds", Kind: Gauge, Unit: Seconds, Labels: ofCollector(),
		Help: "When the last collection began that succeeded as a whole; absent until one did",
	}
}

// CollectorDataAge is how old the oldest of what is shown is.
func CollectorDataAge() Metric {
	return Metric{
		Name: "lakeproof_collector_data_age_seconds", Kind: Gauge, Unit: Seconds, Labels: ofCollector(),
		Help: "Age of the oldest series on the page; what grows older than some intervals is dropped",
	}
}

// CollectorSeries is how much a collector has on the page.
func CollectorSeries() Metric {
	return Metric{
		Name: "lakeproof_collector_series", Kind: Gauge, Labels: ofCollector(),
		Help: "Series of this collector on the page",
	}
}

// CollectorDroppedSeries is what a collector found and the page does not show.
func CollectorDroppedSeries() Metric {
	return Metric{
		Name: "lakeproof_collector_dropped_series", Kind: Gauge, Labels: ofCollector("reason"),
		Help: "Series left out of the page: above the budget, duplicate, or invalid (not finite)",
	}
}

// CollectorCoarsened counts what is shown in a coarser form for want of room.
func CollectorCoarsened() Metric {
	return Metric{
		Name: "lakeproof_collector_coarsened", Kind: Gauge, Labels: ofCollector("subject"),
		Help: "Groups or topics that are shown as sums to stay within the series budget",
	}
}

// CollectorRequests is what the last collection asked.
func CollectorRequests() Metric {
	return Metric{
		Name: "lakeproof_collector_requests", Kind: Gauge, Labels: ofCollector(),
		Help: "Requests that the last collection sent",
	}
}

// CollectorResponseBytes is how much the last collection was told over HTTP.
func CollectorResponseBytes() Metric {
	return Metric{
		Name: "lakeproof_collector_response_bytes", Kind: Gauge, Unit: Bytes, Labels: ofCollector(),
		Help: "Bytes of the answers to the last collection's HTTP requests",
	}
}

// CollectorCollections counts collections.
func CollectorCollections() Metric {
	return Metric{
		Name: "lakeproof_collector_collections_total", Kind: Counter, Labels: ofCollector("result"),
		Help: "Collections that ended, by result: success or failure",
	}
}

// ExporterSeries is the size of the page.
func ExporterSeries() Metric {
	return Metric{Name: "lakeproof_exporter_series", Kind: Gauge, Help: "Series on the page, without the exporter's own"}
}

// ExporterSeriesBudget is how large the page may become.
func ExporterSeriesBudget() Metric {
	return Metric{Name: "lakeproof_exporter_series_budget", Kind: Gauge, Help: "Series that the page may have at most"}
}

// ExporterPageBytes is how large the page is.
func ExporterPageBytes() Metric {
	return Metric{
		Name: "lakeproof_exporter_page_bytes", Kind: Gauge, Unit: Bytes, Labels: []string{"format", "encoding"},
		Help: "Size of the page as it is kept for scrapers, by format and encoding",
	}
}

// ExporterPageBuildDuration is what making the page costs.
func ExporterPageBuildDuration() Metric {
	return Metric{
		Name: "lakeproof_exporter_page_build_duration_seconds", Kind: Gauge, Unit: Seconds,
		Help: "Time that making the page took after the last change, in all formats in use",
	}
}

// ExporterReloads counts readings of the configuration.
func ExporterReloads() Metric {
	return Metric{
		Name: "lakeproof_exporter_reloads_total", Kind: Counter, Labels: []string{"result"},
		Help: "Reloads of the configuration, by result: success or failure",
	}
}
