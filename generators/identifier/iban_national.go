package identifier

// national replaces the k, and the j before it, of a country's BBAN whose other
// places are filled. The countries that are missing have no check digits of
// their own in the account number, or others for each bank.
func national(country string, bban []byte) {
	switch country {
	case "BE":
		belgium(bban)
	case "DK":
		denmark(bban)
	case "ES":
		spain(bban)
	case "FI":
		finland(bban)
	case "FR":
		france(bban)
	case "IT":
		italy(bban)
	case "NL":
		netherlands(bban)
	case "NO":
		norway(bban)
	case "PT":
		portugal(bban)
	case "SE":
		sweden(bban)
	}
}

// number is the value of digits.
func number(digits []byte) (n uint64) {
	for _, d := range digits {
		n = n*10 + uint64(d-'0')
	}
	return n
}

// weigh is the sum of the digits, each times its weight.
func weigh(digits []byte, weights string) (sum int) {
	for i, d := range digits {
		sum += int(d-'0') * int(weights[i]-'0')
	}
	return sum
}

// eleven sets the last digit so that the weighted sum of all is divisible by
// eleven. The last weight is 1 and the one before it 2. For one sum in eleven
// that takes a ten; then the digit before it, j, becomes 1 instead of 0.
func eleven(digits []byte, weights string) {
	j, k := len(digits)-2, len(digits)-1
	digits[j] = '0'
	check := (11 - weigh(digits[:k], weights)%11) % 11
	if check == 10 {
		digits[j] = '1'
		check = 8
	}
	digits[k] = byte('0' + check)
}

// belgium: the remainder of the first ten digits by 97, and 97 instead of 0.
func belgium(bban []byte) {
	check := number(bban[:10]) % 97
	if check == 0 {
		check = 97
	}
	putDigits(bban[10:], check)
}

// denmark: the eleven-test of the account. Some banks do without.
func denmark(bban []byte) { eleven(bban[4:], "4327654321") }

// finland: Luhn over all.
func finland(bban []byte) { bban[13] = luhn(bban[:13]) }

// france: the clé RIB makes the whole divisible by 97.
func france(bban []byte) {
	putDigits(bban[21:], 0)
	putDigits(bban[21:], 97-mod97(0, bban))
}

// italy: the CIN, a letter; the characters at odd places have values of their
// own.
func italy(bban []byte) {
	sum := 0
	for i, c := range bban[1:] {
		if i%2 == 0 {
			sum += [...]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21}[c-'0']
		} else {
			sum += int(c - '0')
		}
	}
	bban[0] = byte('A' + sum%26)
}

// netherlands: the eleven-test, which most accounts still pass although it is
// no longer asked for. The colon is the weight ten: it comes after the nine.
func netherlands(bban []byte) { eleven(bban[4:], ":987654321") }

// norway: the eleven-test of the whole. An account that begins with 00 is
// tested alone by some and with its bank by others, so it moves to a bank of its
// own and begins with 10.
func norway(bban []byte) {
	if bban[4] == '0' && bban[5] == '0' {
		bban[2], bban[4] = '8', '1'
	}
	eleven(bban, "54327654321")
}

// portugal: the NIB makes the whole leave 1 by 97.
func portugal(bban []byte) { putDigits(bban[19:], 98-number(bban[:19])%97*100%97) }

// spain: one digit for bank and branch, one for the account.
func spain(bban []byte) {
	const weights = "12485:9736" // the powers of two by eleven
	bban[8] = spanish(weigh(bban[:8], weights[2:]))
	bban[9] = spanish(weigh(bban[10:], weights))
}

func spanish(sum int) byte {
	check := 11 - sum%11
	if check >= 10 {
		check = 11 - check // 10 is written 1, 11 is written 0
	}
	return byte('0' + check)
}

// sweden: the ten digits of an account of the commonest kind end in Luhn's
// digit. The banks have other kinds.
func sweden(bban []byte) { bban[19] = luhn(bban[10:19]) }
