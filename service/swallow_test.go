package service_test

import (
	"bytes"
	"context"
	"net"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

// swallowing is a connection on which a question is lost, and with it all that is sent later.
type swallowing struct {
	net.Conn
	question []byte
	lost     bool
}

func (s *swallowing) Write(message []byte) (int, error) {
	if s.lost = s.lost || bytes.Contains(message, s.question); s.lost {
		return len(message), nil
	}
	return s.Conn.Write(message)
}

// TestSwallowedQuestion: the question that an error asks, for the words of a rule, is within the time limit too. What the
// server refused is told all the same.
func TestSwallowedQuestion(t *testing.T) {
	t.Parallel()
	for question, do := range map[string]func(ctx context.Context, s *service.Session) error{
		"-- name: RuleMessage": func(ctx context.Context, s *service.Session) error {
			return second(s.ContractAddPayment(ctx, gen.ContractAddPaymentParams{ID: uuid.New(), ContractID: ownSigned, Amount: 0}))
		},
		"-- name: ContractDetail": func(ctx context.Context, s *service.Session) error {
			return second(s.ContractDetail(ctx, ownSigned))
		},
	} {
		t.Run(question, func(t *testing.T) {
			t.Parallel()
			p := sample(t)
			svc := p.limited(2*time.Second, func(config *pgx.ConnConfig) {
				config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := new(net.Dialer).DialContext(ctx, network, address)
					return &swallowing{Conn: conn, question: []byte(question)}, err
				}
			})
			began := time.Now()
			err := do(t.Context(), p.asOn(svc, "administrator1"))
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("crm waited for %v, whose limit is two seconds", took)
			}
			if question == "-- name: RuleMessage" {
				fails(t, failure.Conflict, "The rule payment_amount_positive of the database refused this.", err)
			} else {
				fails(t, failure.Unavailable, "The database did not answer in time.", err)
			}
		})
	}
}
