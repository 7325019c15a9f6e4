package fintech

// Market is a country with its currency and how life is priced there.
type Market struct {
	Country  string // ISO 3166-1 alpha-2
	Zone     string // of most people there, IANA
	Currency string // ISO 4217
	Exponent int64  // decimals of the currency, ISO 4217
	PerEuro  int64  // minor units of the currency for 100 euro, rounded
	Note     int64  // smallest note of a cash machine, minor units
	Share    uint64 // of the bank's customers and merchants, per thousand
	Cities   []string
}

// Price converts euro cents to minor units of the market's currency.
func (m *Market) Price(cents int64) int64 { return cents * m.PerEuro / 10_000 }

// Markets returns where the bank's customers and merchants are.
func Markets() []Market {
	return []Market{
		{"DE", "Europe/Berlin", "EUR", 2, 10_000, 1000, 190, []string{"Berlin", "Hamburg", "München", "Köln", "Leipzig"}},
		{"FR", "Europe/Paris", "EUR", 2, 10_000, 1000, 130, []string{"Paris", "Lyon", "Marseille", "Toulouse", "Besançon"}},
		{"ES", "Europe/Madrid", "EUR", 2, 10_000, 1000, 80, []string{"Madrid", "Barcelona", "Valencia", "Málaga"}},
		{"NL", "Europe/Amsterdam", "EUR", 2, 10_000, 1000, 60, []string{"Amsterdam", "Rotterdam", "Utrecht"}},
		{"IT", "Europe/Rome", "EUR", 2, 10_000, 1000, 70, []string{"Milano", "Roma", "Torino", "Forlì"}},
		{"US", "America/Chicago", "USD", 2, 10_900, 2000, 130, []string{"Chicago", "Austin", "Portland", "Boston", "Denver"}},
		{"GB", "Europe/London", "GBP", 2, 8_500, 1000, 100, []string{"London", "Leeds", "Bristol", "Glasgow"}},
		{"KR", "Asia/Seoul", "KRW", 0, 148_000, 10_000, 60, []string{"Seoul", "Busan", "Incheon", "Daegu"}},
		{"JP", "Asia/Tokyo", "JPY", 0, 16_300, 1000, 50, []string{"Tokyo", "Osaka", "Nagoya", "Sapporo"}},
		{"CH", "Europe/Zurich", "CHF", 2, 9_500, 2000, 40, []string{"Zürich", "Genève", "Basel"}},
		{"SE", "Europe/Stockholm", "SEK", 2, 113_000, 10_000, 30, []string{"Stockholm", "Göteborg", "Malmö"}},
		{"PL", "Europe/Warsaw", "PLN", 2, 43_000, 5000, 30, []string{"Warszawa", "Kraków", "Gdańsk"}},
		{"BR", "America/Sao_Paulo", "BRL", 2, 60_000, 2000, 20, []string{"São Paulo", "Recife", "Brasília"}},
		{"KW", "Asia/Kuwait", "KWD", 3, 33_000, 5000, 10, []string{"Kuwait City", "Hawalli"}},
	}
}

// Trade is a merchant category with its habits. Medians are rough figures for
// a purchase in the euro area.
type Trade struct {
	MCC    string // ISO 18245
	Word   string // what follows the owner's name on the sign
	SKU    string // prefix of its articles
	Median int64  // of the amount, euro cents
	Sigma  int64  // of the amount's logarithm, thousandths
	Online uint64 // share of purchases without a card present, ppm
	Again  uint64 // share of online purchases that recur with a stored card, ppm
	Share  uint64 // of merchants, per thousand
}

// Shops are the trades where cards are used.
func Shops() []Trade {
	return []Trade{
		{"5411", "Market", "GRO", 2_600, 850, 60_000, 20_000, 150},
		{"5499", "Corner Shop", "FOO", 820, 700, 10_000, 0, 80},
		{"5812", "Restaurant", "RES", 3_100, 750, 90_000, 0, 130},
		{"5814", "Diner", "FAS", 1_050, 600, 180_000, 0, 110},
		{"5541", "Fuel", "FUE", 4_700, 600, 5_000, 0, 50},
		{"5912", "Pharmacy", "PHA", 1_650, 800, 80_000, 30_000, 60},
		{"5311", "Department Store", "DEP", 4_200, 950, 250_000, 0, 30},
		{"5651", "Clothing", "CLO", 4_900, 850, 350_000, 0, 60},
		{"5732", "Electronics", "ELE", 8_900, 1200, 450_000, 0, 35},
		{"5211", "Building Supply", "BUI", 5_400, 1100, 120_000, 0, 25},
		{"5942", "Books", "BOO", 1_900, 700, 450_000, 0, 25},
		{"5977", "Cosmetics", "COS", 2_900, 750, 300_000, 0, 25},
		{"5999", "Trading", "MIS", 2_700, 1200, 500_000, 40_000, 45},
		{"5815", "Media", "DIG", 990, 550, 1_000_000, 620_000, 30},
		{"7832", "Cinema", "CIN", 2_100, 500, 550_000, 20_000, 15},
		{"7997", "Fitness Club", "FIT", 3_600, 500, 600_000, 850_000, 20},
		{"8011", "Medical Practice", "MED", 6_800, 900, 80_000, 0, 25},
		{"4111", "Transit", "TRA", 380, 650, 250_000, 200_000, 25},
		{"4121", "Taxi", "TAX", 1_450, 600, 500_000, 0, 25},
		{"7011", "Hotel", "HOT", 14_800, 850, 650_000, 0, 20},
		{"4511", "Air", "AIR", 21_500, 900, 900_000, 0, 15},
	}
}

// Billers are the trades that collect by direct debit.
func Billers() []Trade {
	return []Trade{
		{"4900", "Energy", "UTI", 8_400, 600, 0, 0, 400},
		{"4814", "Telecom", "TEL", 3_200, 450, 0, 0, 350},
		{"6300", "Insurance", "INS", 7_300, 900, 0, 0, 250},
	}
}

// Machines are the trades that pay out cash.
func Machines() []Trade {
	return []Trade{{"6011", "Savings Bank", "ATM", 8_000, 750, 0, 0, 1000}}
}
