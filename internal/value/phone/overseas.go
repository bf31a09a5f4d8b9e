package phone

// Overseas returns a number of France as what it is where it is one of the territories overseas: they are dialled from
// France as if they were there, and from everywhere else by codes of their own. So 0692 12 34 56 is +262 692 12 34 56,
// and +33 692 12 34 56 is nothing. It reports whether the number may stay, or was found there.
func (n Number) Overseas() (Number, bool) {
	const france, digits = "33", 9
	if n.code != france || len(n.national) != digits {
		return n, true
	}
	codes := overseas(n.national[:3])
	for _, code := range codes {
		there := Number{code, n.national}
		if n.national[:3] == saintPierre { // its numbers have six digits, and at home no code before them
			there.national = n.national[3:]
		}
		if there.Exists() {
			return there, true
		}
	}
	return n, codes == nil
}

const saintPierre = "508"

// overseas returns the codes of the territories that share the numbers that begin so within France; none if they belong
// to France itself. The plans of the library have some of these numbers as French ones. What begins with 8 or 9 has no
// place, and is the same number from all of them.
func overseas(first3 string) []string {
	switch first3 {
	case "262", "263", "268", "269", "639", "692", "693": // La Réunion and Mayotte
		return []string{"262"}
	case "590", "690", "691": // Guadeloupe, Saint-Martin and Saint-Barthélemy
		return []string{"590"}
	case "594", "694": // Guyane
		return []string{"594"}
	case "596", "696", "697": // Martinique
		return []string{"596"}
	case saintPierre, "708":
		return []string{"508"}
	case "598", "709":
		return []string{"262", "590", "594", "596"}
	}
	return nil
}
