package service_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// TestChange: a mutation returns the row as it stood before and as it stands now.
func TestChange(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	administrator, commercial, support := p.as("administrator1"), p.as("commercial1"), p.as("support1")

	t.Run("employees", func(t *testing.T) {
		employee := func(username string) gen.EmployeeView { // by what stays
			return stored[gen.EmployeeView](p, "employee_view", one[int64](p, "SELECT id FROM employee WHERE username = $1", username))
		}
		id := employee("support2").ID
		changes(t, func() gen.EmployeeView { return stored[gen.EmployeeView](p, "employee_view", id) }, []func() (service.Change[gen.EmployeeView], error){
			func() (service.Change[gen.EmployeeView], error) {
				return administrator.EmployeeUpdate(ctx, gen.EmployeeUpdateParams{CurrentUsername: new("support2"), Username: new("helene"), Fullname: new("Hélène")})
			},
			func() (service.Change[gen.EmployeeView], error) {
				return administrator.EmployeeUpdate(ctx, gen.EmployeeUpdateParams{ID: &id, CurrentUsername: new("8"), Username: new("support2")})
			},
		})
		id = employee("none1").ID
		changes(t, func() gen.EmployeeView { return stored[gen.EmployeeView](p, "employee_view", id) }, []func() (service.Change[gen.EmployeeView], error){
			func() (service.Change[gen.EmployeeView], error) {
				return administrator.EmployeeSetRole(ctx, gen.EmployeeSetRoleParams{Username: "none1", Role: gen.RoleSupport})
			},
		})
	})
	t.Run("customers", func(t *testing.T) {
		update := func(p gen.CustomerUpdateParams) func() (service.Change[gen.CustomerView], error) {
			return func() (service.Change[gen.CustomerView], error) { return commercial.CustomerUpdate(ctx, p) }
		}
		changes(t, func() gen.CustomerView { return stored[gen.CustomerView](p, "customer_view", ownCustomer) }, []func() (service.Change[gen.CustomerView], error){
			update(gen.CustomerUpdateParams{ID: ownCustomer, Company: new("Other")}),
			update(gen.CustomerUpdateParams{ID: ownCustomer, Company: new("Other")}),
			func() (service.Change[gen.CustomerView], error) {
				return administrator.CustomerSetCommercial(ctx, gen.CustomerSetCommercialParams{ID: ownCustomer, Commercial: "commercial2"})
			},
		})
		p.exec("UPDATE customer SET commercial_id = (SELECT id FROM employee WHERE username = 'commercial1') WHERE id = $1", ownCustomer)
		added(commercial.CustomerAdd(ctx, gen.CustomerAddParams{Fullname: "Zoé", Company: new("Zed"), Email: new("z@example.com"), Phone: new(value.Phone("+33145670102"))}))(t)
	})
	t.Run("contracts", func(t *testing.T) {
		changes(t, func() gen.ContractView { return p.contract(ownUnsigned) }, []func() (service.Change[gen.ContractView], error){
			func() (service.Change[gen.ContractView], error) {
				return commercial.ContractUpdate(ctx, gen.ContractUpdateParams{ID: ownUnsigned, TotalAmount: new(value.Cents(12_345))})
			},
			func() (service.Change[gen.ContractView], error) { return commercial.ContractSign(ctx, ownUnsigned) },
			func() (service.Change[gen.ContractView], error) { return commercial.ContractSign(ctx, ownUnsigned) },
		})
		added(administrator.ContractAdd(ctx, gen.ContractAddParams{CustomerID: ownCustomer, TotalAmount: 5}))(t)
		pay := gen.ContractAddPaymentParams{ID: uuid.New(), ContractID: ownSigned, Amount: 500}
		due := p.contract(ownSigned).TotalDue
		for _, before := range []value.Cents{due, due - 500} {
			change := must[service.Change[service.RecordedPayment]](t)(commercial.ContractAddPayment(ctx, pay))
			want := change.Now
			want.TotalDue = before
			if same(t, "payment before", *change.Before, want); change.Now.TotalDue != due-500 {
				t.Errorf("due is %d", change.Now.TotalDue)
			}
		}
	})
	t.Run("events", func(t *testing.T) {
		changes(t, func() gen.EventView { return stored[gen.EventView](p, "event_view", ownEvent) }, []func() (service.Change[gen.EventView], error){
			func() (service.Change[gen.EventView], error) {
				return support.EventUpdate(ctx, gen.EventUpdateParams{ID: ownEvent, Name: new("Bal"), Clear: []string{"note"}})
			},
			func() (service.Change[gen.EventView], error) {
				return administrator.EventSetSupport(ctx, gen.EventSetSupportParams{ID: ownEvent, Support: "support2"})
			},
		})
		added(commercial.EventAdd(ctx, gen.EventAddParams{ContractID: ownSigned, Name: "Fête"}))(t)
	})
}

// changes makes each mutation and compares what it returns with what is stored before and after it.
func changes[T any](t *testing.T, stored func() T, mutations []func() (service.Change[T], error)) {
	t.Helper()
	for _, mutate := range mutations {
		before := stored()
		change := must[service.Change[T]](t)(mutate())
		if change.Before == nil {
			t.Fatalf("there was no %+v", before)
		}
		same(t, "before", *change.Before, before)
		same(t, "now", change.Now, stored())
	}
}

func added[T any](change service.Change[T], err error) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		if err != nil || change.Before != nil {
			t.Errorf("added: %+v, %v", change, err)
		}
	}
}
