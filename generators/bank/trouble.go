package bank

import "github.com/lakeproof/lakeproof/generators"

// trouble says which merchants' customers dispute more than others': always the
// same ones, whatever their size.
type trouble struct {
	random generators.Rand
	ppm    uint64
}

func newTrouble(c *Config) trouble {
	return trouble{c.Seed.Rand("bank.trouble"), uint64(c.Trouble)}
}

// has reports whether a merchant is in trouble.
func (t *trouble) has(merchant uint32) bool {
	return t.ppm > 0 && generators.Chance(t.random.At(uint64(merchant)), t.ppm)
}
