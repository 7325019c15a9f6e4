package identifier

import "strings"

// currencies are the codes of ISO 4217 that are legal tender (list one without
// metals, funds, units of account and codes for tests), each with its number
// and its exponent, in alphabetical order, eight characters apart.
const currencies = "" +
	"AED7842 AFN9712 ALL0082 AMD0512 AOA9732 ARS0322 AUD0362 AWG5332 AZN9442 BAM9772 BBD0522 BDT0502 " +
	"BHD0483 BIF1080 BMD0602 BND0962 BOB0682 BRL9862 BSD0442 BTN0642 BWP0722 BYN9332 BZD0842 CAD1242 " +
	"CDF9762 CHF7562 CLP1520 CNY1562 COP1702 CRC1882 CUP1922 CVE1322 CZK2032 DJF2620 DKK2082 DOP2142 " +
	"DZD0122 EGP8182 ERN2322 ETB2302 EUR9782 FJD2422 FKP2382 GBP8262 GEL9812 GHS9362 GIP2922 GMD2702 " +
	"GNF3240 GTQ3202 GYD3282 HKD3442 HNL3402 HTG3322 HUF3482 IDR3602 ILS3762 INR3562 IQD3683 IRR3642 " +
	"ISK3520 JMD3882 JOD4003 JPY3920 KES4042 KGS4172 KHR1162 KMF1740 KPW4082 KRW4100 KWD4143 KYD1362 " +
	"KZT3982 LAK4182 LBP4222 LKR1442 LRD4302 LSL4262 LYD4343 MAD5042 MDL4982 MGA9692 MKD8072 MMK1042 " +
	"MNT4962 MOP4462 MRU9292 MUR4802 MVR4622 MWK4542 MXN4842 MYR4582 MZN9432 NAD5162 NGN5662 NIO5582 " +
	"NOK5782 NPR5242 NZD5542 OMR5123 PAB5902 PEN6042 PGK5982 PHP6082 PKR5862 PLN9852 PYG6000 QAR6342 " +
	"RON9462 RSD9412 RUB6432 RWF6460 SAR6822 SBD0902 SCR6902 SDG9382 SEK7522 SGD7022 SHP6542 SLE9252 " +
	"SOS7062 SRD9682 SSP7282 STN9302 SVC2222 SYP7602 SZL7482 THB7642 TJS9722 TMT9342 TND7883 TOP7762 " +
	"TRY9492 TTD7802 TWD9012 TZS8342 UAH9802 UGX8000 USD8402 UYU8582 UZS8602 VED9262 VES9282 VND7040 " +
	"VUV5480 WST8822 XAF9500 XCD9512 XCG5322 XOF9520 XPF9530 YER8862 ZAR7102 ZMW9672 ZWG9242 "

// Currency is a currency of ISO 4217.
type Currency struct {
	Code     string
	Number   string // three digits
	Exponent int    // decimals of the minor unit: JPY 0, EUR 2, KWD 3
}

// FindCurrency returns a currency by its code.
func FindCurrency(code string) (Currency, bool) {
	const width = 8
	low, high := 0, len(currencies)/width
	for low < high {
		middle := (low + high) / 2
		row := currencies[middle*width:]
		switch strings.Compare(code, row[:3]) {
		case 0:
			return Currency{Code: row[:3], Number: row[3:6], Exponent: int(row[6] - '0')}, true
		case -1:
			high = middle
		default:
			low = middle + 1
		}
	}
	return Currency{}, false
}

// Currencies returns all of them, in alphabetical order.
func Currencies() []Currency {
	var all []Currency
	for code := range strings.FieldsSeq(currencies) {
		c, _ := FindCurrency(code[:3])
		all = append(all, c)
	}
	return all
}

// AppendAmount appends an amount in minor units as a decimal number with the
// currency's decimals: 1234 is 12.34 with the exponent 2 and 1234 with 0. The
// exponent is at most 18.
func AppendAmount(dst []byte, minor int64, exponent int) []byte {
	u := uint64(minor)
	if minor < 0 {
		dst = append(dst, '-')
		u = -u
	}
	unit, width := uint64(1), 1
	for range exponent {
		unit *= 10
	}
	whole := u / unit
	for n := whole; n >= 10; n /= 10 {
		width++
	}
	dst = appendDigits(dst, whole, width)
	if exponent == 0 {
		return dst
	}
	return appendDigits(append(dst, '.'), u%unit, exponent)
}

// categories are codes of ISO 18245, one a line, in the order of the codes.
const categories = `0742 Veterinary services
0763 Agricultural cooperatives
0780 Landscaping and horticultural services
1520 General contractors, residential and commercial
1711 Heating, plumbing and air conditioning contractors
1731 Electrical contractors
2741 Miscellaneous publishing and printing
4011 Railroads, freight
4111 Local and suburban commuter passenger transport
4112 Passenger railways
4119 Ambulance services
4121 Taxicabs and limousines
4131 Bus lines
4214 Motor freight carriers and trucking
4215 Courier services
4411 Steamships and cruise lines
4511 Airlines and air carriers
4722 Travel agencies and tour operators
4784 Tolls and bridge fees
4789 Transportation services not elsewhere classified
4812 Telecommunication equipment and telephone sales
4814 Telecommunication services
4816 Computer network and information services
4829 Money transfer
4899 Cable, satellite and other pay television
4900 Utilities: electric, gas, water and sanitary
5045 Computers, peripherals and software
5065 Electrical parts and equipment
5111 Stationery, office supplies, printing and writing paper
5122 Drugs, drug proprietaries and druggist sundries
5200 Home supply warehouse stores
5211 Lumber and building materials stores
5251 Hardware stores
5261 Nurseries, lawn and garden supply stores
5300 Wholesale clubs
5309 Duty-free stores
5310 Discount stores
5311 Department stores
5331 Variety stores
5399 Miscellaneous general merchandise
5411 Grocery stores and supermarkets
5422 Freezer and locker meat provisioners
5441 Candy, nut and confectionery stores
5451 Dairy products stores
5462 Bakeries
5499 Miscellaneous food stores
5511 Car and truck dealers, new and used
5532 Automotive tyre stores
5533 Automotive parts and accessories stores
5541 Service stations
5542 Automated fuel dispensers
5611 Men's and boys' clothing and accessories stores
5621 Women's ready-to-wear stores
5641 Children's and infants' wear stores
5651 Family clothing stores
5655 Sports and riding apparel stores
5661 Shoe stores
5691 Men's and women's clothing stores
5699 Miscellaneous apparel and accessory stores
5712 Furniture and home furnishings stores
5722 Household appliance stores
5732 Electronics stores
5733 Music stores
5734 Computer software stores
5735 Record stores
5811 Caterers
5812 Eating places and restaurants
5813 Drinking places
5814 Fast food restaurants
5815 Digital goods: books, films, music
5816 Digital goods: games
5817 Digital goods: applications
5818 Digital goods: large merchants
5912 Drug stores and pharmacies
5921 Package stores: beer, wine and liquor
5931 Used merchandise and second-hand stores
5940 Bicycle shops
5941 Sporting goods stores
5942 Book stores
5943 Stationery stores
5944 Jewellery, watch, clock and silverware stores
5945 Hobby, toy and game shops
5946 Camera and photographic supply stores
5947 Gift, card, novelty and souvenir shops
5964 Direct marketing: catalogue merchants
5968 Direct marketing: continuity and subscription merchants
5977 Cosmetic stores
5992 Florists
5993 Cigar stores and stands
5995 Pet shops, pet food and supplies
5999 Miscellaneous and speciality retail stores
6010 Financial institutions: manual cash
6011 Financial institutions: automated cash
6012 Financial institutions: merchandise and services
6051 Quasi-cash: money orders, foreign currency, cryptocurrency
6211 Security brokers and dealers
6300 Insurance sales, underwriting and premiums
6513 Real estate agents and managers, rentals
6540 Stored value card purchase and load
7011 Hotels, motels and resorts
7210 Laundry, cleaning and garment services
7211 Laundries, family and commercial
7230 Beauty and barber shops
7298 Health and beauty spas
7299 Miscellaneous personal services
7311 Advertising services
7361 Employment agencies and temporary help services
7372 Computer programming and data processing
7399 Business services not elsewhere classified
7512 Car rental agencies
7523 Parking lots and garages
7538 Automotive service shops
7542 Car washes
7699 Miscellaneous repair shops
7832 Cinemas
7841 Video rental stores
7922 Theatrical producers and ticket agencies
7991 Tourist attractions and exhibits
7994 Video game arcades
7995 Betting, lottery tickets, casino chips
7996 Amusement parks and circuses
7997 Membership clubs, sports and recreation
8011 Doctors and physicians
8021 Dentists and orthodontists
8043 Opticians and eyeglasses
8062 Hospitals
8099 Medical services and health practitioners
8111 Legal services and attorneys
8211 Elementary and secondary schools
8220 Colleges and universities
8299 Schools and educational services
8351 Child care services
8398 Charitable and social service organisations
8641 Civic, social and fraternal associations
8661 Religious organisations
8999 Professional services
9211 Court costs, including alimony
9222 Fines
9311 Tax payments
9399 Government services
9402 Postal services
`

// Category is a merchant category of ISO 18245.
type Category struct{ Code, Name string }

// FindMCC returns the name of a merchant category code of four digits.
func FindMCC(code string) (name string, ok bool) {
	at := strings.Index(categories, code+" ")
	if len(code) != 4 || !only(code, 'n') || at < 0 || at > 0 && categories[at-1] != '\n' {
		return "", false
	}
	name, _, _ = strings.Cut(categories[at+5:], "\n")
	return name, true
}

// MCCs returns the categories in the order of their codes.
func MCCs() []Category {
	var all []Category
	for line := range strings.Lines(categories) {
		all = append(all, Category{Code: line[:4], Name: strings.TrimSuffix(line[5:], "\n")})
	}
	return all
}
