package fintech

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/fail"
)

const noon = 1_767_268_800_123_456 // 2026-01-01T12:00:00.123456Z, microseconds

func TestByName(t *testing.T) {
	for _, kind := range All() {
		s, err := ByName(kind.Name, 1)
		if err != nil || s.Name() != kind.Name || kind.Doc == "" {
			t.Errorf("%s: made %v, %v", kind.Name, s, err)
		}
		if err := s.Schema().Check(); err != nil {
			t.Error(err)
		}
		for _, f := range s.Schema().Fields {
			if f.Doc == "" {
				t.Errorf("%s: field %s is not documented", kind.Name, f.Name)
			}
		}
	}
	_, err := ByName("paymnets", 1)
	if fail.CodeOf(err) != fail.Usage || err.Error() != `choosing stream "paymnets": not one of payments, orders` {
		t.Errorf("got %v with code %d", err, fail.CodeOf(err))
	}
}

// Fill overwrites whatever the event held, depends on the time in event_time
// only, and stores what the schema allows.
func TestFillKeepsTheContract(t *testing.T) {
	for _, kind := range All() {
		s := kind.New(7)
		fields := s.Schema().Fields
		fresh, dirty := generators.NewEvent(s.Schema()), generators.NewEvent(s.Schema())
		for seq := range uint64(5000) {
			for i := 1; i < len(fields)-1; i++ {
				dirty.Values[i] = generators.Value{Int: -77, Str: "dirt", Null: seq%2 == 0}
			}
			fresh = generators.NewEvent(s.Schema())
			s.Fill(fresh, seq, noon)
			s.Fill(dirty, seq, noon+86_400_000_000)
			if d := dirty.Values[1].Int - fresh.Values[1].Int; d != 86_400_000_000 || fresh.Values[1].Int != noon/1000*1000 {
				t.Fatalf("%s %d: event_time is %d, a day later %d more", kind.Name, seq, fresh.Values[1].Int, d)
			}
			dirty.Values[1] = fresh.Values[1]
			if diff := cmp.Diff(fresh.Values, dirty.Values); diff != "" {
				t.Fatalf("%s %d (-fresh +dirty):\n%s", kind.Name, seq, diff)
			}
			for i, v := range fresh.Values[1 : len(fields)-1] {
				checkValue(t, &fields[i+1], v)
			}
		}
		s.Fill(fresh, 0, -1)
		if got := fresh.Values[1].Int; got != -1000 {
			t.Errorf("%s: a microsecond before 1970 is %d, want -1000", kind.Name, got)
		}
	}
}

func checkValue(t *testing.T, f *generators.Field, v generators.Value) {
	t.Helper()
	switch {
	case v.Null:
		if !f.Nullable || v != none() {
			t.Fatalf("%s is %+v", f.Name, v)
		}
	case f.Kind == generators.String:
		odd := strings.ContainsFunc(v.Str, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' })
		if v.Str == "" || v.Int != 0 || f.Plain && odd {
			t.Fatalf("%s is %+v", f.Name, v)
		}
	case f.Kind == generators.Bool && v.Int>>1 != 0, f.Kind == generators.Int && v.Int != int64(int32(v.Int)), v.Str != "":
		t.Fatalf("%s is %+v", f.Name, v)
	}
}

// fill makes n events of a stream and hands each to see.
func fill(s generators.Stream, n uint64, see func(v []generators.Value)) {
	ev := generators.NewEvent(s.Schema())
	for seq := range n {
		s.Fill(ev, seq, noon)
		see(ev.Values)
	}
}

func TestPaymentsMakeSense(t *testing.T) {
	const events = 200_000
	isoDigits := map[string]int64{ // ISO 4217
		"EUR": 2, "USD": 2, "GBP": 2, "KRW": 0, "JPY": 0, "CHF": 2, "SEK": 2, "PLN": 2, "BRL": 2, "KWD": 3,
	}
	var documentation []netip.Prefix // RFC 5737
	for _, net := range []string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"} {
		documentation = append(documentation, netip.MustParsePrefix(net))
	}
	types, currencies, declined := map[string]int{}, map[string]int{}, 0
	fill(NewPayments(42), events, func(v []generators.Value) {
		kind, card := v[payEventType].Str, !v[payCardToken].Null
		types[kind]++
		currencies[v[payCurrency].Str]++
		if v[payStatus].Str == "declined" {
			declined++
		}
		ip, _ := netip.ParseAddr(v[payIP].Str)
		isTransfer := kind == "transfer"
		for rule, ok := range map[string]bool{
			"currency has its decimals":         v[payExponent].Int == isoDigits[v[payCurrency].Str],
			"amount is positive, fee is small":  v[payAmount].Int > 0 && v[payFee].Int >= 0 && v[payFee].Int*50 <= v[payAmount].Int,
			"risk is 0 to 999":                  v[payRisk].Int >= 0 && v[payRisk].Int <= 999,
			"synthetic":                         v[paySynthetic].Int == 1,
			"cards pay, withdraw and get back":  card == (kind == "card_payment" || kind == "cash_withdrawal" || kind == "refund"),
			"all but a transfer has a merchant": v[payMerchantID].Null == isTransfer && v[payMCC].Null == isTransfer && v[payCountry].Null == isTransfer,
			"a transfer goes to someone else":   v[payCounterparty].Null != isTransfer && v[payCounterparty].Str != v[payAccountID].Str,
			"a code means approved":             v[payAuthCode].Null || card && v[payStatus].Str == "approved" && len(v[payAuthCode].Str) == 6,
			"a refund is approved":              kind != "refund" || v[payStatus].Str == "approved",
			"00 or ACSC means approved":         (v[payStatus].Str == "approved") == (v[payResponse].Str == "00" || v[payResponse].Str == "ACSC"),
			"the merchant is where its city is": isTransfer || inMarket(v[payCountry].Str, v[payCity].Str, v[payCurrency].Str),
			"address is for documentation":      v[payIP].Null || slices.ContainsFunc(documentation, func(p netip.Prefix) bool { return p.Contains(ip) }),
			"no card number":                    digitsInARow(v) < 12,
		} {
			if !ok {
				t.Fatalf("%s: not so in %+v", rule, v)
			}
		}
	})
	for kind, share := range map[string]float64{"card_payment": 0.71, "transfer": 0.12, "direct_debit": 0.09, "cash_withdrawal": 0.065, "refund": 0.015} {
		if got := float64(types[kind]) / events; math.Abs(got-share) > 0.005 {
			t.Errorf("%.3f of the events are a %s, want %.3f", got, kind, share)
		}
	}
	if rate := float64(declined) / events; rate < 0.025 || rate > 0.035 {
		t.Errorf("%.4f of the events are declined, want about 0.03", rate)
	}
	if len(currencies) != len(isoDigits) || currencies["EUR"] < events*2/5 {
		t.Errorf("currencies are %v, want all of %v and mostly EUR", currencies, isoDigits)
	}
}

func inMarket(country, city, currency string) bool {
	return slices.ContainsFunc(Markets(), func(m Market) bool {
		return m.Country == country && m.Currency == currency && slices.Contains(m.Cities, city)
	})
}

// digitsInARow returns the longest run of digits in any text of the record.
func digitsInARow(values []generators.Value) (longest int) {
	for _, v := range values {
		run := 0
		for i := range len(v.Str) {
			if c := v.Str[i]; c < '0' || c > '9' {
				run = 0
				continue
			}
			run++
			longest = max(longest, run)
		}
	}
	return longest
}

// Amounts are log-normal with the median and spread of their category, and
// their first digits follow Benford's law.
func TestAmountsFollowTheirLaw(t *testing.T) {
	logs := map[string][]float64{}
	var digits [10]float64
	total := 0.0
	fill(NewPayments(42), 400_000, func(v []generators.Value) {
		if v[payEventType].Str != "card_payment" || v[payCurrency].Str != "EUR" {
			return
		}
		amount := v[payAmount].Int
		logs[v[payMCC].Str] = append(logs[v[payMCC].Str], math.Log(float64(amount)))
		for amount >= 10 {
			amount /= 10
		}
		digits[amount]++
		total++
	})
	for _, trade := range Shops() {
		x := logs[trade.MCC]
		if len(x) < 500 {
			t.Errorf("mcc %s: only %d purchases", trade.MCC, len(x))
			continue
		}
		slices.Sort(x)
		median := math.Exp(x[len(x)/2]) / float64(trade.Median)
		sigma := (x[len(x)*84134/100_000] - x[len(x)*15866/100_000]) / 2 * 1000 / float64(trade.Sigma)
		// Shops differ among themselves, by half of the median at most.
		if median < 0.5 || median > 1.5 || sigma < 0.9 || sigma > 1.35 {
			t.Errorf("mcc %s: median is %.2f and sigma %.2f times what the catalogue says", trade.MCC, median, sigma)
		}
	}
	deviation := 0.0
	for d := 1; d <= 9; d++ {
		deviation += math.Abs(digits[d]/total-math.Log10(1+1/float64(d))) / 9
	}
	if deviation > 0.006 {
		t.Errorf("first digits deviate from Benford's law by %.4f", deviation)
	}
}

// Within a market the shops are as popular as Zipf's law says.
func TestShopsFollowZipf(t *testing.T) {
	visits := map[string]float64{}
	fill(NewPayments(42), 400_000, func(v []generators.Value) {
		if v[payEventType].Str == "card_payment" && v[payCountry].Str == "DE" {
			visits[v[payMerchantID].Str]++
		}
	})
	counts := make([]float64, 0, len(visits))
	for _, n := range visits {
		counts = append(counts, n)
	}
	slices.Sort(counts)
	slices.Reverse(counts)
	var n, sx, sy, sxx, sxy float64
	for rank, count := range counts[:50] {
		x, y := math.Log(float64(rank+1)), math.Log(count)
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	if slope := (n*sxy - sx*sy) / (n*sxx - sx*sx); math.Abs(slope+1) > 0.02 {
		t.Errorf("the slope of popularity over rank is %.3f, want -1", slope)
	}
}

// What the generators before this one got wrong: fields that should be
// independent share a draw. Chi-square over pairs of categories.
func TestFieldsAreIndependent(t *testing.T) {
	cells := map[[2]string]float64{}
	rows, columns := map[string]float64{}, map[string]float64{}
	total := 0.0
	fill(NewPayments(42), 200_000, func(v []generators.Value) {
		if v[payEventType].Str != "card_payment" {
			return
		}
		row := string(v[payAccountID].Str[len(v[payAccountID].Str)-1])
		column := string(rune('0' + v[payAmount].Int%8))
		cells[[2]string{row, column}]++
		rows[row], columns[column] = rows[row]+1, columns[column]+1
		total++
	})
	x := 0.0
	for r, nr := range rows {
		for c, nc := range columns {
			want := nr * nc / total
			x += (cells[[2]string{r, c}] - want) * (cells[[2]string{r, c}] - want) / want
		}
	}
	free := float64((len(rows) - 1) * (len(columns) - 1))
	if x > free+6*math.Sqrt(2*free) {
		t.Errorf("account and amount depend on each other: chi-square %.0f with %.0f degrees of freedom", x, free)
	}
}

func TestOrdersAddUp(t *testing.T) {
	numbers := map[int64]bool{}
	fill(NewOrders(42), 50_000, func(v []generators.Value) {
		numbers[v[ordNumber].Int] = true
		subtotal := v[ordUnitPrice].Int * v[ordQuantity].Int
		total := subtotal - v[ordDiscount].Int + v[ordShipping].Int + v[ordTax].Int
		if v[ordSubtotal].Int != subtotal || v[ordTotal].Int != total || total <= 0 || v[ordPromo].Null != (v[ordDiscount].Int == 0) && subtotal >= 10 {
			t.Fatalf("does not add up: %+v", v)
		}
		if !inMarket(v[ordShipCountry].Str, v[ordShipCity].Str, v[ordCurrency].Str) {
			t.Fatalf("ships to nowhere: %+v", v)
		}
	})
	if len(numbers) != 50_000 {
		t.Errorf("%d order numbers for 50,000 orders", len(numbers))
	}
}

func TestWorld(t *testing.T) {
	w := newWorld(42)
	ids, cards, customers := map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, a := range w.accounts {
		ids[a.id], cards[a.card] = true, true
		customers[a.customer]++
	}
	if len(ids) != accounts || len(cards) != accounts || len(customers) != accounts*3/4 {
		t.Errorf("%d accounts, %d cards, %d customers", len(ids), len(cards), len(customers))
	}
	shopIDs, made := map[string]bool{}, 0
	for _, p := range w.markets {
		for _, g := range []guild{p.shops, p.billers, p.machines} {
			made += len(g.merchants)
			for _, m := range g.merchants {
				shopIDs[m.id] = true
				if len(m.trade.MCC) != 4 || strings.Trim(m.trade.MCC, "0123456789") != "" {
					t.Errorf("mcc %q", m.trade.MCC)
				}
			}
		}
	}
	if len(shopIDs) != made || made < merchants*95/100 || made > merchants*105/100 {
		t.Errorf("%d merchants with %d numbers, want about %d", made, len(shopIDs), merchants)
	}
}
