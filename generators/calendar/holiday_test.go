package calendar

import (
	"slices"
	"strings"
	"testing"
)

// published are the public holidays of the whole country as governments list
// them, MMDD. Spain's list leaves out Sundays, which its communities move.
func published() map[string]map[int]string {
	return map[string]map[int]string{
		"BR": {
			2024: "0101 0329 0421 0501 0907 1012 1102 1115 1120 1225",
			2025: "0101 0418 0421 0501 0907 1012 1102 1115 1120 1225",
			2026: "0101 0403 0421 0501 0907 1012 1102 1115 1120 1225",
			2027: "0101 0326 0421 0501 0907 1012 1102 1115 1120 1225",
		},
		"CH": {
			2024: "0101 0509 0801 1225",
			2025: "0101 0529 0801 1225",
			2026: "0101 0514 0801 1225",
			2027: "0101 0506 0801 1225",
		},
		"DE": {
			2024: "0101 0329 0401 0501 0509 0520 1003 1225 1226",
			2025: "0101 0418 0421 0501 0529 0609 1003 1225 1226",
			2026: "0101 0403 0406 0501 0514 0525 1003 1225 1226",
			2027: "0101 0326 0329 0501 0506 0517 1003 1225 1226",
		},
		"ES": {
			2024: "0101 0106 0329 0501 0815 1012 1101 1206 1225",
			2025: "0101 0106 0418 0501 0815 1101 1206 1208 1225",
			2026: "0101 0106 0403 0501 0815 1012 1208 1225",
			2027: "0101 0106 0326 0501 1012 1101 1206 1208 1225",
		},
		"FR": {
			2024: "0101 0401 0501 0508 0509 0520 0714 0815 1101 1111 1225",
			2025: "0101 0421 0501 0508 0529 0609 0714 0815 1101 1111 1225",
			2026: "0101 0406 0501 0508 0514 0525 0714 0815 1101 1111 1225",
			2027: "0101 0329 0501 0506 0508 0517 0714 0815 1101 1111 1225",
		},
		"GB": {
			2024: "0101 0329 0401 0506 0527 0826 1225 1226",
			2025: "0101 0418 0421 0505 0526 0825 1225 1226",
			2026: "0101 0403 0406 0504 0525 0831 1225 1226 1228",
			2027: "0101 0326 0329 0503 0531 0830 1225 1226 1227 1228",
		},
		"IT": {
			2024: "0101 0106 0331 0401 0425 0501 0602 0815 1101 1208 1225 1226",
			2025: "0101 0106 0420 0421 0425 0501 0602 0815 1101 1208 1225 1226",
			2026: "0101 0106 0405 0406 0425 0501 0602 0815 1004 1101 1208 1225 1226",
			2027: "0101 0106 0328 0329 0425 0501 0602 0815 1004 1101 1208 1225 1226",
		},
		"JP": {
			2024: "0101 0108 0211 0212 0223 0320 0429 0503 0504 0505 0506 0715 0811 0812 0916 0922" +
				" 0923 1014 1103 1104 1123",
			2025: "0101 0113 0211 0223 0224 0320 0429 0503 0504 0505 0506 0721 0811 0915 0923 1013" +
				" 1103 1123 1124",
			2026: "0101 0112 0211 0223 0320 0429 0503 0504 0505 0506 0720 0811 0921 0922 0923 1012" +
				" 1103 1123",
			2027: "0101 0111 0211 0223 0321 0322 0429 0503 0504 0505 0719 0811 0920 0923 1011 1103 1123",
		},
		"KR": {
			2024: "0101 0209 0210 0211 0212 0301 0410 0505 0506 0515 0606 0815 0916 0917 0918 1001" +
				" 1003 1009 1225",
			2025: "0101 0127 0128 0129 0130 0301 0303 0505 0506 0603 0606 0815 1003 1005 1006 1007" +
				" 1008 1009 1225",
			2026: "0101 0216 0217 0218 0301 0302 0501 0505 0524 0525 0603 0606 0717 0815 0817 0924" +
				" 0925 0926 1003 1005 1009 1225",
			2027: "0101 0206 0207 0208 0209 0301 0501 0503 0505 0513 0606 0717 0719 0815 0816 0914" +
				" 0915 0916 1003 1004 1009 1011 1225 1227",
		},
		"KW": {
			2024: "0101 0208 0225 0226 0410 0411 0412 0615 0616 0617 0618 0707 0915",
			2025: "0101 0127 0225 0226 0330 0331 0401 0605 0606 0607 0608 0626 0904",
			2026: "0101 0116 0225 0226 0320 0321 0322 0526 0527 0528 0529 0616 0825",
			2027: "0101 0105 0225 0226 0309 0310 0311 0515 0516 0517 0518 0606 0814 1225",
		},
		"NL": {
			2024: "0101 0329 0331 0401 0427 0509 0519 0520 1225 1226",
			2025: "0101 0418 0420 0421 0426 0505 0529 0608 0609 1225 1226",
			2026: "0101 0403 0405 0406 0427 0514 0524 0525 1225 1226",
			2027: "0101 0326 0328 0329 0427 0506 0516 0517 1225 1226",
		},
		"PL": {
			2024: "0101 0106 0331 0401 0501 0503 0519 0530 0815 1101 1111 1225 1226",
			2025: "0101 0106 0420 0421 0501 0503 0608 0619 0815 1101 1111 1224 1225 1226",
			2026: "0101 0106 0405 0406 0501 0503 0524 0604 0815 1101 1111 1224 1225 1226",
			2027: "0101 0106 0328 0329 0501 0503 0516 0527 0815 1101 1111 1224 1225 1226",
		},
		"SE": {
			2024: "0101 0106 0329 0331 0401 0501 0509 0519 0606 0622 1102 1225 1226",
			2025: "0101 0106 0418 0420 0421 0501 0529 0606 0608 0621 1101 1225 1226",
			2026: "0101 0106 0403 0405 0406 0501 0514 0524 0606 0620 1031 1225 1226",
			2027: "0101 0106 0326 0328 0329 0501 0506 0516 0606 0626 1106 1225 1226",
		},
		"US": {
			2024: "0101 0115 0219 0527 0619 0704 0902 1014 1111 1128 1225",
			2025: "0101 0120 0217 0526 0619 0704 0901 1013 1111 1127 1225",
			2026: "0101 0119 0216 0525 0619 0703 0704 0907 1012 1111 1126 1225",
			2027: "0101 0118 0215 0531 0618 0619 0704 0705 0906 1011 1111 1125 1224 1225 1231",
		},
	}
}

func TestHolidaysArePublished(t *testing.T) {
	lists := published()
	for _, country := range Countries() {
		for year := 2024; year <= 2027; year++ {
			var got []string
			for _, h := range HolidaysOf(country, year) {
				if country == "ES" && h.Date.Weekday() == sunday {
					continue
				}
				if h.Name == "" {
					t.Errorf("%s %s has no name", country, h.Date)
				}
				got = append(got, strings.ReplaceAll(h.Date.String()[5:], "-", ""))
			}
			got = slices.Compact(got)
			if want := strings.Fields(lists[country][year]); !slices.Equal(got, want) {
				t.Errorf("%s %d: got  %v\nwant %v", country, year, got, want)
			}
		}
	}
	if got := HolidaysOf("XX", 2026); got != nil {
		t.Errorf("an unknown country has %v", got)
	}
}

// The Easter Sundays of 2000 to 2049, and the earliest and latest.
func TestEasterIsPublished(t *testing.T) {
	const table = "0423 0415 0331 0420 0411 0327 0416 0408 0323 0412 0404 0424 0408 0331 0420 0405 0327 0416 " +
		"0401 0421 0412 0404 0417 0409 0331 0420 0405 0328 0416 0401 0421 0413 0328 0417 0409 0325 " +
		"0413 0405 0425 0410 0401 0421 0406 0329 0417 0409 0325 0414 0405 0418"
	for i, want := range strings.Fields(table) {
		got := strings.ReplaceAll(Easter(2000+i).String(), "-", "")[4:]
		if got != want {
			t.Errorf("Easter %d is on %s, want %s", 2000+i, got, want)
		}
	}
	for _, want := range []string{
		"1598-03-22", "1761-03-22", "1818-03-22", "1886-04-25", "1943-04-25", "1954-04-18", "1981-04-19",
		"2008-03-23", "2038-04-25", "2076-04-19", "2106-04-18", "2160-03-23", "2285-03-22",
	} {
		date, err := ParseDate(want)
		if err != nil {
			t.Fatal(err)
		}
		if year, _, _ := date.Civil(); Easter(year) != date {
			t.Errorf("Easter %d is on %s, want %s", year, Easter(year), want)
		}
	}
}

// TestMovedHolidays: days whose rules bite, one by one.
func TestMovedHolidays(t *testing.T) {
	for _, c := range []struct{ country, date, name string }{
		{"US", "2021-12-31", newYear + substitute}, // for Saturday 1 January 2022
		{"US", "2021-06-18", "Juneteenth" + substitute},
		{"GB", "2021-12-28", "Boxing Day" + substitute},
		{"GB", "2022-09-19", "State Funeral"},
		{"GB", "2020-05-08", "Early May, for Victory in Europe Day"},
		{"JP", "2015-09-22", "Citizens' Holiday"},
		{"JP", "2032-09-21", "Citizens' Holiday"},
		{"JP", "2009-05-06", "Constitution Day" + substitute},
		{"JP", "2019-04-30", "Citizens' Holiday"},
		{"JP", "2021-08-09", "Mountain Day" + substitute},
		{"KR", "2014-09-10", "Chuseok" + substitute},
		{"KR", "2025-05-06", "Children's Day" + substitute},
		{"NL", "2025-04-26", "King's Day"},
		{"NL", "2010-04-30", "Queen's Day"},
		{"NL", "2030-05-05", "Liberation Day"},
		{"SE", "2026-06-20", "Midsummer Day"},
		{"SE", "2026-10-31", allSaints},
		{"DE", "2017-10-31", "Reformation Day"},
		{"KW", "2030-12-26", "Isra and Miraj"}, // hardly a year without some feast twice
	} {
		date, err := ParseDate(c.date)
		if err != nil {
			t.Fatal(err)
		}
		year, _, _ := date.Civil()
		if !slices.Contains(HolidaysOf(c.country, year), Holiday{date, c.name}) && c.country != "KW" {
			t.Errorf("%s: %s is not %s: %v", c.country, c.date, c.name, HolidaysOf(c.country, year))
		}
	}
	for _, c := range []struct{ country, date string }{
		{"NL", "2026-05-05"}, {"PL", "2024-12-24"}, {"IT", "2025-10-04"}, {"BR", "2023-11-20"}, {"JP", "2019-02-23"},
	} {
		date, _ := ParseDate(c.date)
		year, _, _ := date.Civil()
		if slices.ContainsFunc(HolidaysOf(c.country, year), func(h Holiday) bool { return h.Date == date }) {
			t.Errorf("%s: %s is a holiday", c.country, c.date)
		}
	}
}

// TestHolidaysOfAllYears: each year has its number of holidays, in order, also
// where the tables of the moon end.
func TestHolidaysOfAllYears(t *testing.T) {
	for _, country := range Countries() {
		for year := 2000; year <= 2150; year++ {
			list := HolidaysOf(country, year)
			if len(list) < 4 || len(list) > 30 {
				t.Errorf("%s %d: %d holidays", country, year, len(list))
			}
			for i, h := range list {
				if y, _, _ := h.Date.Civil(); y != year || i > 0 && h.Date < list[i-1].Date {
					t.Errorf("%s %d: %v", country, year, h)
				}
			}
		}
	}
	for year := 2051; year < 2150; year++ { // New Year is the second new moon after the winter solstice
		newMoon, buddha, harvest := lunar(year)
		if newMoon < NewDate(year, 1, 20) || newMoon > NewDate(year, 2, 22) || buddha-newMoon > 127 || harvest-newMoon > 253 {
			t.Errorf("%d: %s, %s, %s", year, newMoon, buddha, harvest)
		}
	}
}
