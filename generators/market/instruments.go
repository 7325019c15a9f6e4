package market

// Instrument is a security that is made up.
type Instrument struct {
	Symbol     string
	ISIN       string // ISO 6166 with the right check digit; its prefix ZZ is nobody's
	Name       string
	Cents      int64   // the price when the market begins, euro cents
	Volatility float64 // of a year, binary logarithm, without jumps
}

// Instruments returns what is traded; the order is fixed.
func Instruments() []Instrument {
	list := []Instrument{
		{"ALDR", "", "Alder Rail", 4_210, 0.34},
		{"BIRC", "", "Birch Software", 11_840, 0.46},
		{"CEDA", "", "Cedar Foods", 6_395, 0.26},
		{"DOGW", "", "Dogwood Chemicals", 5_150, 0.36},
		{"ELMX", "", "Elm Exchange", 14_620, 0.33},
		{"FIRR", "", "Fir Renewables", 1_875, 0.58},
		{"GORS", "", "Gorse Airlines", 905, 0.61},
		{"HAZL", "", "Hazel Payments", 8_730, 0.52},
		{"IVYH", "", "Ivy Health", 9_960, 0.31},
		{"JUNP", "", "Juniper Drinks", 3_345, 0.27},
		{"KAUR", "", "Kauri Insurance", 20_150, 0.29},
		{"LARC", "", "Larch Motors", 5_480, 0.49},
		{"MAPL", "", "Maple Devices", 16_700, 0.44},
		{"NUTM", "", "Nutmeg Retail", 2_260, 0.38},
		{"OAKB", "", "Oak Bank", 1_310, 0.42},
		{"PINE", "", "Pine Paper", 2_985, 0.32},
		{"QUIN", "", "Quince Semiconductors", 7_415, 0.63},
		{"ROWN", "", "Rowan Steel", 1_140, 0.55},
		{"SPRU", "", "Spruce Power", 3_790, 0.25},
		{"TEAK", "", "Teak Logistics", 6_820, 0.35},
		{"WLLW", "", "Willow World Fund", 8_050, 0.22},
		{"YEWB", "", "Yew Bond Fund", 10_240, 0.09},
		{"ASHG", "", "Ash Gold", 17_330, 0.21},
		{"BEEC", "", "Beech Europe Fund", 4_675, 0.24},
	}
	for i := range list {
		list[i].ISIN = isin(uint64(i))
	}
	return list
}

// isin is the number of an instrument, with the check digit by Luhn over the
// digits that the characters stand for.
func isin(number uint64) string {
	text := []byte("ZZ000000000")
	for at := len(text) - 1; number > 0; at, number = at-1, number/10 {
		text[at] += byte(number % 10)
	}
	digits := []byte{3, 5, 3, 5} // Z is 35
	for _, c := range text[2:] {
		digits = append(digits, c-'0')
	}
	sum := byte(0)
	for i := range digits {
		d := digits[len(digits)-1-i]
		if i%2 == 0 {
			d = d*2%10 + d*2/10
		}
		sum += d
	}
	return string(append(text, '0'+(10-sum%10)%10))
}
