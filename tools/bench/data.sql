-- The data of the benchmark, in sizes that the settings bench.customers, bench.contracts and bench.events give: French
-- names with accents, contracts over five years of which one in twenty is not paid, and payments that add up. It is the
-- same at every run. The sample data is there already.

-- Without triggers and foreign keys, which the data keeps, and with the indexes made afterwards.
SET session_replication_role = replica;
SET maintenance_work_mem = '512MB';

CREATE TEMPORARY TABLE dropped AS
SELECT pg_get_indexdef(index.indexrelid) AS definition, index.indexrelid::regclass AS name
FROM pg_index AS index
JOIN pg_class AS class ON class.oid = index.indrelid
WHERE class.relnamespace = 'public'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = index.indexrelid);

DO $$
DECLARE
    dropped_name text;
BEGIN
    FOR dropped_name IN SELECT name::text FROM dropped LOOP
        EXECUTE 'DROP INDEX ' || dropped_name;
    END LOOP;
END
$$;

CREATE FUNCTION pg_temp.chance(n bigint, salt bigint, sides bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE
    RETURN (hashint8extended(n, salt) & x'7fffffffffffffff'::bigint) % sides;

CREATE FUNCTION pg_temp.pick(n bigint, salt bigint, choices text[]) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN choices[1 + pg_temp.chance(n, salt, cardinality(choices))];

INSERT INTO employee (username, fullname, role, password_hash)
SELECT role || n, 'Employé ' || n, role::role, password_hash
FROM (VALUES ('commercial', 4), ('support', 4)) AS added (role, first)
CROSS JOIN generate_series(first, 20) AS n
CROSS JOIN (SELECT password_hash FROM employee WHERE username = 'none1') AS sample;

WITH firstname AS MATERIALIZED (
    SELECT place - 1 AS place, name, fold(name) AS folded
    FROM unnest('{Inès,Aurélie,Benoît,Chloé,Désiré,Élodie,François,Gaëlle,Hélène,Jérôme,Zoé,Océane,Rémi,Solène,Théo,Maëlys,
        Barthélemy,Marie,Paul,Louise,Hugo,Camille,Antoine,Lucie,Nicolas,Sarah,Thomas,Julie,Pierre,Emma,Julien,Léa,Maxime,
        Manon,Alexandre,Clara,Mathieu,Noémie,Sébastien,Agnès}'::text[]) WITH ORDINALITY AS listed (name, place)
), lastname AS MATERIALIZED (
    SELECT place - 1 AS place, name, fold(name) AS folded
    FROM unnest('{Lefèvre,Morel,Noël,Ribeiro,Pérez,Quéré,Roux,Sénéchal,Weiß,Yvon,Zimmer,Œuvrard,Dupré,Fontaine,Garnier,Hébert,
        Imbert,Jacquet,Kléber,Lemaître,Carpentier,Durand,Petit,Leroy,Moreau,Simon,Laurent,Girard,Bonnet,Dupont,Lambert,
        Rousseau,Blanc,Guérin,Muller,Henry,Rousselet,Gauthier,Perrin,Masson}'::text[]) WITH ORDINALITY AS listed (name, place)
), branch AS MATERIALIZED (
    SELECT place - 1 AS place, name, fold(name) AS folded
    FROM unnest('{Atelier,Brasserie,Clinique,Domaine,Voiles,Éditions,Lycée,Bäckerei,Théâtre,Menuiserie}'::text[])
        WITH ORDINALITY AS listed (name, place)
)
INSERT INTO customer (fullname, company, commercial_id, email, phone, created_at, updated_at)
SELECT firstname.name || ' ' || lastname.name,
       branch.name || ' ' || lastname.name,
       commercials[1 + pg_temp.chance(n, 4, cardinality(commercials))],
       firstname.folded || '.' || lastname.folded || n || '@' || branch.folded || '.example',
       '+33' || (100000000 + pg_temp.chance(n, 5, 500000000)),
       timestamptz '2021-01-01 Europe/Paris' + interval '1 minute' * n,
       timestamptz '2021-01-01 Europe/Paris' + interval '1 minute' * (n + pg_temp.chance(n, 6, 100000))
FROM generate_series(15, current_setting('bench.customers')::bigint) AS n
JOIN firstname ON firstname.place = pg_temp.chance(n, 1, 40)
JOIN lastname ON lastname.place = pg_temp.chance(n, 2, 40)
JOIN branch ON branch.place = pg_temp.chance(n, 3, 10)
CROSS JOIN (SELECT array_agg(id ORDER BY id) AS commercials FROM employee WHERE role = 'commercial') AS employees
ORDER BY n;

-- The archived one of the sample data gets contracts too.
UPDATE customer SET archived_at = NULL;

-- Of a hundred contracts two are not signed, three are paid in part, and the rest is paid.
INSERT INTO contract (id, number, customer_id, total_amount, paid_amount, created_at, signed_at, due_on, sold_by, sold_by_id)
SELECT md5('contract' || n)::uuid,
       year || '-' || to_char(20 + row_number() OVER (PARTITION BY year ORDER BY drawn.created_at), 'FM999990000'),
       customer.id,
       total,
       CASE WHEN fate < 2 THEN 0 WHEN fate < 5 THEN total / 2 ELSE total END,
       drawn.created_at,
       CASE WHEN fate >= 2 THEN drawn.created_at + interval '1 hour' * (1 + pg_temp.chance(n, 8, 400)) END,
       CASE WHEN n % 2 = 0 THEN drawn.created_at::date + 30 END,
       CASE WHEN fate >= 2 THEN commercial.username END,
       CASE WHEN fate >= 2 THEN commercial.id END
FROM generate_series(21, current_setting('bench.contracts')::bigint) AS n
CROSS JOIN LATERAL (SELECT
    pg_temp.chance(n, 9, 100) AS fate,
    5000 + 50 * pg_temp.chance(n, 10, 100000) AS total,
    timestamptz '2021-01-04 09:00 Europe/Paris' + interval '1.234567 seconds' * n * 128 AS created_at
) AS drawn
CROSS JOIN LATERAL (SELECT to_char(drawn.created_at AT TIME ZONE 'Europe/Paris', 'YYYY') AS year) AS counted
JOIN customer ON customer.id = 1 + pg_temp.chance(n, 7, current_setting('bench.customers')::bigint)
JOIN employee AS commercial ON commercial.id = customer.commercial_id;

INSERT INTO payment (id, contract_id, amount, recorded_by, recorded_at, received_on)
SELECT md5('payment' || part || contract.id::text)::uuid,
       contract.id,
       amount,
       'administrator1',
       signed_at + interval '10 days' * part,
       (signed_at + interval '10 days' * part)::date
FROM contract
CROSS JOIN LATERAL (VALUES (1, paid_amount - paid_amount / 3), (2, paid_amount / 3)) AS paid (part, amount)
WHERE amount > 0
  AND NOT EXISTS (SELECT FROM payment WHERE payment.contract_id = contract.id);

-- Six supports for so many events: that they clash is meant.
INSERT INTO event (clash_allowed, name, contract_id, support_id, start_at, end_at, attendees, location, note)
SELECT true,
       pg_temp.pick(n, 11, '{Séminaire,Gala,Anniversaire,Congrès,Mariage,Soirée,Conférence,Salon,Dîner,Fête}') || ' ' || n,
       signed.id,
       CASE WHEN pg_temp.chance(n, 12, 10) > 0 THEN supports[1 + pg_temp.chance(n, 13, cardinality(supports))] END,
       start_at,
       start_at + interval '1 hour' * (2 + pg_temp.chance(n, 14, 30)),
       10 + pg_temp.chance(n, 15, 500),
       pg_temp.pick(n, 16, '{Château de Chenonceau,Palais des congrès,Théâtre du Châtelain,Salle des fêtes,Musée de l''Homme,Hôtel de Ville}'),
       CASE WHEN pg_temp.chance(n, 17, 3) = 0 THEN 'Prévoir un vestiaire, et un micro.' || chr(10) || 'Arrivée à 18 h.' END
FROM generate_series(12, current_setting('bench.events')::bigint) AS n
JOIN (SELECT id, signed_at, row_number() OVER (ORDER BY created_at, id) AS place FROM contract WHERE signed) AS signed
  ON place = 1 + pg_temp.chance(n, 18, (SELECT count(*) FROM contract WHERE signed))
CROSS JOIN LATERAL (SELECT signed_at + interval '1 day' * (20 + pg_temp.chance(n, 19, 200)) AS start_at) AS drawn
CROSS JOIN (SELECT array_agg(id ORDER BY id) AS supports FROM employee WHERE role = 'support' AND active) AS employees
ORDER BY n;

DO $$
DECLARE
    dropped_definition text;
BEGIN
    FOR dropped_definition IN SELECT definition FROM dropped LOOP
        EXECUTE dropped_definition;
    END LOOP;
END
$$;

RESET session_replication_role;
