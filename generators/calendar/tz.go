package calendar

import (
	"bytes"
	"compress/gzip"
	_ "embed" // of the zones
	"io"
	"strconv"
	"strings"
	"time"
)

// zoneFile is the IANA time zone database (public domain), compressed: one line
// "name offset length" for each zone, a blank line, then the zones in the
// format of RFC 9636. The machine's own database is never asked, nor that of
// the Go release, so that the same seed keeps its microseconds wherever and
// with whatever it is built. TestZonesAreCurrent -update writes it again from
// that of the Go release.
//
//go:embed zones.gz
var zoneFile []byte

// database is the unpacked zone file.
type database struct {
	names []string
	place map[string][2]int // offset and length
	data  []byte
}

// openZones unpacks the zone file: 2 ms.
func openZones() *database {
	db := &database{place: map[string][2]int{}}
	r, err := gzip.NewReader(bytes.NewReader(zoneFile))
	if err != nil {
		return db // it is part of the program; a test reads it
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return db
	}
	index, data, _ := bytes.Cut(text, []byte("\n\n"))
	for line := range strings.Lines(string(index)) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			continue
		}
		at, _ := strconv.Atoi(fields[1])
		length, _ := strconv.Atoi(fields[2])
		db.names = append(db.names, fields[0])
		db.place[fields[0]] = [2]int{at, length}
	}
	db.data = data
	return db
}

// load returns the zone of a name.
func (db *database) load(name string) (*time.Location, bool) {
	p, ok := db.place[name]
	if !ok {
		return nil, false
	}
	loc, err := time.LoadLocationFromTZData(name, db.data[p[0]:p[0]+p[1]])
	return loc, err == nil
}

// offsets is how far a zone is ahead of UTC, as a list of pieces of time.
type offsets struct {
	from    []int64 // seconds; the first covers all before, too
	seconds []int64
}

// offsetsOf lists the offsets of a zone between two times. It looks once a day
// and, where two days differ, for the second of the change: time.ZoneBounds
// says of some last changes (Cairo's of 2024) that no more follow.
func offsetsOf(loc *time.Location, from, to int64) offsets {
	look := func(at int64) int64 {
		_, seconds := time.Unix(at, 0).In(loc).Zone()
		return int64(seconds)
	}
	now := look(from)
	o := offsets{[]int64{from}, []int64{now}}
	for at := from; at < to; at += day {
		next := look(at + day)
		if next == now {
			continue
		}
		low, high := at, at+day // the change is after low, at high at the latest
		for high-low > 1 {
			if middle := (low + high) / 2; look(middle) == now {
				low = middle
			} else {
				high = middle
			}
		}
		now = look(high)
		o.from, o.seconds = append(o.from, high), append(o.seconds, now)
		if now != next {
			at = high - day // another change on the same day
		}
	}
	return o
}

// at is the offset at a time.
func (o *offsets) at(seconds int64) int64 {
	low, high := 0, len(o.from)
	for high-low > 1 {
		if middle := (low + high) / 2; o.from[middle] <= seconds {
			low = middle
		} else {
			high = middle
		}
	}
	return o.seconds[low]
}

// country is the country of a zone, of those whose holidays are known, or "".
func country(zone string) string {
	switch zone {
	case "Europe/Berlin", "Europe/Busingen":
		return "DE"
	case "Europe/Paris":
		return "FR"
	case "Europe/Madrid", "Atlantic/Canary", "Africa/Ceuta":
		return "ES"
	case "Europe/Amsterdam":
		return "NL"
	case "Europe/Rome":
		return "IT"
	case "Europe/London", "Europe/Belfast", "GB", "GB-Eire":
		return "GB"
	case "Asia/Tokyo", "Japan":
		return "JP"
	case "Asia/Seoul", "ROK":
		return "KR"
	case "Europe/Zurich":
		return "CH"
	case "Europe/Stockholm":
		return "SE"
	case "Europe/Warsaw", "Poland":
		return "PL"
	case "Asia/Kuwait":
		return "KW"
	}
	return americanCountry(zone)
}

// americanCountry is the same for the countries of many zones.
func americanCountry(zone string) string {
	switch {
	case strings.HasPrefix(zone, "US/"), strings.HasPrefix(zone, "America/Indiana/"),
		strings.HasPrefix(zone, "America/Kentucky/"), strings.HasPrefix(zone, "America/North_Dakota/"):
		return "US"
	case strings.HasPrefix(zone, "Brazil/"):
		return "BR"
	}
	switch strings.TrimPrefix(zone, "America/") {
	case "New_York", "Detroit", "Chicago", "Menominee", "Denver", "Boise", "Phoenix", "Los_Angeles", "Anchorage",
		"Juneau", "Sitka", "Metlakatla", "Yakutat", "Nome", "Adak", "Pacific/Honolulu":
		return "US"
	case "Sao_Paulo", "Bahia", "Fortaleza", "Recife", "Belem", "Manaus", "Cuiaba", "Campo_Grande", "Porto_Velho",
		"Boa_Vista", "Rio_Branco", "Eirunepe", "Santarem", "Araguaina", "Maceio", "Noronha":
		return "BR"
	}
	return ""
}
