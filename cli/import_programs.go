package cli

import (
	"slices"
	"strings"
)

// programs are those whose exports are known.
var programs = []string{"dolibarr", "espocrm", "hubspot", "odoo", "salesforce"}

// preset is an export of another program: the labels of its columns for each field, in lower case, and its habits.
type preset struct {
	labels map[string][]string
	habits habits
}

// field returns the field of a column. One with a name of crm's own is that.
func (p preset) field(label string) string {
	label = strings.ToLower(label)
	for field, labels := range p.labels {
		if slices.Contains(labels, label) {
			return field
		}
	}
	if p.labels != nil {
		return ""
	}
	return label
}

// presets are the exports that are known, by program and resource.
var presets = map[string]map[string]preset{}
