// Package exporters turns what systems say of themselves into a page that
// Prometheus can scrape: cheap to serve, never silent, never frozen.
//
// A value flows like this: a [Collector] is asked in the background, on an
// interval of its own; it writes what it finds into a [Batch], divided into
// parts that succeed or go wrong on their own; [Exporter] keeps the last good
// content of every part, drops what grew too old, and makes of all of it one
// page per format, encoded and compressed once per change and served to any
// number of scrapers. What the exporter did itself is measured at each scrape
// and stands at the end of the page.
//
// It reads no flags and no files, and it alters nothing in the systems that it
// watches. The collectors are in the packages below.
package exporters
