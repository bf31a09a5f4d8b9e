package service_test

import (
	"strings"
	"testing"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
)

// What the database says to a field that cannot be.
const (
	badFullname = "A full name is one line of 1 to 255 characters in Unicode normal form C, without control characters."
	unreachable = "A customer has an e-mail address or a phone number."
	badCompany  = "A company name is one line of 1 to 255 characters in Unicode normal form C, without control characters."
)

func TestCustomerDetail(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("none1")
	same(t, "customer", must[gen.CustomerView](t)(s.CustomerDetail(t.Context(), ownCustomer)), stored[gen.CustomerView](p, "customer_view", ownCustomer))
	p.refuses(failure.NotFound, "There is no customer 4711.", func() error { return second(s.CustomerDetail(t.Context(), 4711)) })
}

func TestCustomerAdd(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("commercial2")
	good := gen.CustomerAddParams{Fullname: "Zoé Œuf", Company: new("L'Œuf"), Email: new("zoe@œuf.example"), Phone: new(value.Phone("+33612345678")), AsCommercialID: 4}
	row := must[gen.CustomerView](t)(now(s.CustomerAdd(t.Context(), good)))
	same(t, "customer", row, stored[gen.CustomerView](p, "customer_view", row.ID))
	want := row
	want.Fullname, want.Company, want.Email, want.Phone, want.Commercial = "Zoé Œuf", good.Company, good.Email, good.Phone, "commercial2"
	same(t, "customer", row, want)

	for message, change := range map[string]func(*gen.CustomerAddParams){
		badFullname: func(p *gen.CustomerAddParams) { p.Fullname = "Zoé\x1b[31m" },
		unreachable: func(p *gen.CustomerAddParams) { p.Email, p.Phone = nil, nil },
		badCompany:  func(p *gen.CustomerAddParams) { p.Company = new(strings.Repeat("é", 256)) },
	} {
		bad := good
		bad.AllowDuplicate = true
		change(&bad)
		p.refuses(failure.Conflict, message, func() error { return second(s.CustomerAdd(t.Context(), bad)) })
	}
}

func TestCustomerUpdate(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s := p.as("commercial1")
	before := stored[gen.CustomerView](p, "customer_view", ownCustomer)
	row := must[gen.CustomerView](t)(now(s.CustomerUpdate(t.Context(), gen.CustomerUpdateParams{ID: ownCustomer, Email: new("new@example.com")})))
	same(t, "customer", row, stored[gen.CustomerView](p, "customer_view", ownCustomer))
	if !row.UpdatedAt.After(before.UpdatedAt) {
		t.Error("updated_at is that of before")
	}
	before.Email, before.UpdatedAt = new("new@example.com"), row.UpdatedAt
	same(t, "customer", row, before)

	row = must[gen.CustomerView](t)(now(s.CustomerUpdate(t.Context(), gen.CustomerUpdateParams{
		ID: ownCustomer, Address: new("1 rue X"), Clear: []string{"company", "email"},
	})))
	if row.Company != nil || row.Email != nil || row.Phone == nil || *row.Address != "1 rue X" {
		t.Errorf("emptied: %+v", row)
	}

	for message, bad := range map[string]gen.CustomerUpdateParams{
		badFullname: {Fullname: new("")},
		badCompany:  {Company: new(" x")},
		unreachable: {Clear: []string{"email", "phone"}},
	} {
		bad.ID = ownCustomer
		p.refuses(failure.Conflict, message, func() error { return second(s.CustomerUpdate(t.Context(), bad)) })
	}
	p.refuses(failure.NotFound, "There is no customer 4711.", func() error {
		return second(s.CustomerUpdate(t.Context(), gen.CustomerUpdateParams{ID: 4711, Company: new("X")}))
	})
	p.refuses(failure.PermissionDenied, "Customer 5 is in the charge of commercial2, not of commercial1.", func() error {
		return second(s.CustomerUpdate(t.Context(), gen.CustomerUpdateParams{ID: foreignCustomer, Company: new("X"), AsCommercialID: nil}))
	})
}

func TestCustomerSetCommercial(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	s, from, to := p.as("administrator1"), p.as("commercial1"), p.as("commercial2")
	set := func(id int64, commercial string) (gen.CustomerView, error) {
		return now(s.CustomerSetCommercial(ctx, gen.CustomerSetCommercialParams{ID: id, Commercial: commercial}))
	}
	p.refuses(failure.NotFound, "There is no customer 4711.", func() error { return second(set(4711, "commercial2")) })
	p.refuses(failure.NotFound, "There is no customer 4711.", func() error { return second(set(4711, "nobody")) })
	p.refuses(failure.NotFound, `There is no employee "nobody".`, func() error { return second(set(ownCustomer, "nobody")) })
	for username, role := range map[string]string{"none1": "none", "support1": "support", "administrator1": "administrator"} {
		p.refuses(failure.Conflict, username+" has the role "+role+"; a customer needs a commercial.",
			func() error { return second(set(ownCustomer, username)) })
	}

	row := must[gen.CustomerView](t)(set(ownCustomer, "commercial2"))
	if same(t, "customer", row, stored[gen.CustomerView](p, "customer_view", ownCustomer)); row.Commercial != "commercial2" {
		t.Errorf("in the charge of %s", row.Commercial)
	}
	p.refuses(failure.PermissionDenied, "Customer 1 is in the charge of commercial2, not of commercial1.", func() error {
		return second(from.CustomerUpdate(ctx, gen.CustomerUpdateParams{ID: ownCustomer, Company: new("X")}))
	})
	must[gen.CustomerView](t)(now(to.CustomerUpdate(ctx, gen.CustomerUpdateParams{ID: ownCustomer, Company: new("X")})))
}
