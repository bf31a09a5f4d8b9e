-- Sample data: everyone's password is epic-events-sample. Dates are in Europe/Paris; the events of the future are some
-- days from the day this is run, so that there always are some.

-- One statement, so that it can stand beside others in a transaction of one round trip.
DO
$sample$
BEGIN

-- Nobody adds a customer meanwhile, nor a first employee.
LOCK TABLE employee, customer IN SHARE ROW EXCLUSIVE MODE;

IF EXISTS (SELECT FROM customer) THEN
    RAISE EXCEPTION USING ERRCODE = '23000',
        MESSAGE = 'The database holds customers already; the sample data goes into an empty one.';
END IF;

INSERT INTO employee (username, fullname, role, active, updated_at, password_hash)
SELECT username, fullname, role::role, active, timestamptz '2026-01-02 09:00 Europe/Paris', '$argon2id$v=19$m=65536,t=3,p=4$t0kVYHxKvDxOsjhXwpr4Hg$gdxxS/wMmRsL006j86H+0aK7PrWj0e5BeMt8lInTuyE'
FROM (VALUES
    ('administrator1', 'Aurélie Lemaître', 'administrator', true),
    ('administrator2', 'Benoît Carpentier', 'administrator', true),
    ('administrator3', 'Chloé Dupré', 'administrator', true),
    ('commercial1', 'Désiré Fontaine', 'commercial', true),
    ('commercial2', 'Élodie Garnier', 'commercial', true),
    ('commercial3', 'François Hébert', 'commercial', true),
    ('support1', 'Gaëlle Imbert', 'support', true),
    ('support2', 'Hélène Jacquet', 'support', true),
    ('none1', 'Inès Kléber', 'none', true),
    ('support3', 'Jérémie Ledoux', 'support', false)
) AS sample (username, fullname, role, active)
ON CONFLICT (username) DO NOTHING;

INSERT INTO customer (fullname, company, commercial_id, email, phone, address, archived_at, created_at, updated_at)
SELECT sample.fullname, sample.company, employee.id, sample.email, sample.phone, sample.address, archived, day, coalesce(archived, day)
FROM (VALUES
    ('Johanna Baker', 'Marsh & Fils', 'commercial1', 'johanna.baker@marsh-fils.example', '+33145678901', '12 rue de la Paix, 75002 Paris', timestamptz '2026-01-05 10:00 Europe/Paris', NULL::timestamptz),
    ('Zoé Lefèvre', 'Atelier Lumière', 'commercial1', 'zoe.lefevre@atelier-lumiere.example', '+33472345678', '3 place des Terreaux, 69001 Lyon', timestamptz '2026-01-05 10:00 Europe/Paris', NULL),
    ('Anaïs Morel', 'Brasserie de l''Étoile', 'commercial1', 'anais.morel@brasserie-etoile.example', '+33388123456', NULL, timestamptz '2026-01-06 10:00 Europe/Paris', NULL),
    ('Jérôme Noël', 'Clinique Saint-André', 'commercial1', 'jerome.noel@clinique-st-andre.example', '+33240112233', NULL, timestamptz '2026-01-06 10:00 Europe/Paris', NULL),
    ('Inès Ribeiro', 'Fado & Co', 'commercial2', 'ines.ribeiro@fado.example', '+351213456789', 'Rua Augusta 100, 1100-053 Lisboa', timestamptz '2026-01-07 10:00 Europe/Paris', NULL),
    ('Océane Pérez', 'Domaine des Cèdres', 'commercial2', 'oceane.perez@domaine-cedres.example', '+33561223344', NULL, timestamptz '2026-01-07 10:00 Europe/Paris', NULL),
    ('Rémi Quéré', NULL, 'commercial2', 'remi.quere@voiles-ouest.example', '+33298334455', NULL, timestamptz '2026-01-08 10:00 Europe/Paris', NULL),
    ('Solène Roux', 'Éditions du Marais', 'commercial2', NULL, '+33142667788', NULL, timestamptz '2026-01-08 10:00 Europe/Paris', NULL),
    ('Théo Sénéchal', 'Lycée Jean-Moulin', 'commercial3', 'theo.senechal@lycee-moulin.example', NULL, NULL, timestamptz '2026-01-09 10:00 Europe/Paris', NULL),
    ('Ursula Weiß', 'Bäckerei Weiß', 'commercial3', 'ursula.weiss@baeckerei-weiss.example', '+4930901820', NULL, timestamptz '2026-01-09 10:00 Europe/Paris', NULL),
    ('Valérie Yvon', 'Théâtre du Châtelain', 'commercial3', 'valerie.yvon@theatre-chatelain.example', '+33491556677', NULL, timestamptz '2026-01-10 10:00 Europe/Paris', NULL),
    ('Maëlys Zimmer', 'Ski Club du Léman', 'commercial3', 'maelys.zimmer@ski-leman.example', '+41223456789', NULL, timestamptz '2026-01-10 10:00 Europe/Paris', NULL),
    ('Barthélemy Œuvrard', 'Menuiserie Œuvrard', 'commercial3', 'b.oeuvrard@menuiserie-oeuvrard.example', '+33380667788', NULL, timestamptz '2026-01-11 10:00 Europe/Paris', NULL),
    ('Corentin Prigent', 'Crêperie Prigent', 'commercial3', 'corentin@creperie-prigent.example', '+33297445566', NULL, timestamptz '2026-01-12 10:00 Europe/Paris', timestamptz '2026-06-30 17:00 Europe/Paris')
) AS sample (fullname, company, commercial, email, phone, address, day, archived)
JOIN employee ON employee.username = sample.commercial
ORDER BY employee.username, sample.day, sample.email;

INSERT INTO contract (id, customer_id, total_amount, created_at, signed_at)
SELECT sample.id, customer.id, sample.total_amount, sample.created_at, sample.signed_at
FROM (VALUES
    (uuid 'ab0469a5-c2ba-4ff7-b9d4-9080df2db07e', 'johanna.baker@marsh-fils.example', 1250000, timestamptz '2026-01-12 09:30 Europe/Paris', timestamptz '2026-01-20 14:00 Europe/Paris'),
    (uuid '771c41ae-3218-4492-a2a3-f5b7aae8ec3d', 'zoe.lefevre@atelier-lumiere.example', 480000, timestamptz '2026-01-19 10:15 Europe/Paris', timestamptz '2026-01-26 11:00 Europe/Paris'),
    (uuid 'b0f94adc-0ac3-46cb-bb52-cecbf41673e5', 'ines.ribeiro@fado.example', 990050, timestamptz '2026-02-02 16:40 Europe/Paris', timestamptz '2026-02-09 09:20 Europe/Paris'),
    (uuid 'ab37b23d-c031-4ced-86aa-2691c368e777', 'theo.senechal@lycee-moulin.example', 45000, timestamptz '2026-02-11 11:05 Europe/Paris', timestamptz '2026-02-12 17:30 Europe/Paris'),
    (uuid 'b1fca6de-884d-4803-b760-ebd7f8cac475', 'anais.morel@brasserie-etoile.example', 720000, timestamptz '2026-02-23 14:20 Europe/Paris', timestamptz '2026-03-02 10:10 Europe/Paris'),
    (uuid '6384e0b3-7b55-4bcb-91f1-20682cc85dc0', 'oceane.perez@domaine-cedres.example', 1899900, timestamptz '2026-03-03 09:00 Europe/Paris', timestamptz '2026-03-10 15:45 Europe/Paris'),
    (uuid '00b6e67a-7a2a-4c2b-8180-60a7da1de808', 'ursula.weiss@baeckerei-weiss.example', 310000, timestamptz '2026-03-16 13:25 Europe/Paris', NULL::timestamptz),
    (uuid 'f1640ff8-d059-403c-b0d5-295ffc6e627d', 'jerome.noel@clinique-st-andre.example', 560000, timestamptz '2026-03-24 10:50 Europe/Paris', timestamptz '2026-04-01 16:00 Europe/Paris'),
    (uuid '9a2f79e6-0b1a-4bce-901b-a04516f81cdd', 'remi.quere@voiles-ouest.example', 865000, timestamptz '2026-04-07 15:35 Europe/Paris', timestamptz '2026-04-14 09:40 Europe/Paris'),
    (uuid 'de0bf099-fc0a-4da4-959c-b16cd9e05bca', 'valerie.yvon@theatre-chatelain.example', 2340000, timestamptz '2026-04-20 09:10 Europe/Paris', timestamptz '2026-04-28 14:30 Europe/Paris'),
    (uuid 'fb819b38-e035-4e65-b4ea-ae5076a82518', 'johanna.baker@marsh-fils.example', 275000, timestamptz '2026-05-04 11:45 Europe/Paris', NULL::timestamptz),
    (uuid '2c753854-647e-425b-af7c-17507335f501', '+33142667788', 640000, timestamptz '2026-05-18 16:10 Europe/Paris', timestamptz '2026-05-25 10:00 Europe/Paris'),
    (uuid '31677ba0-5257-4de0-949c-d5401aa941a4', 'maelys.zimmer@ski-leman.example', 1520000, timestamptz '2026-06-01 10:20 Europe/Paris', timestamptz '2026-06-08 11:15 Europe/Paris'),
    (uuid '3bfbac5d-14e9-48cb-b7b0-6962ea6b0dae', 'zoe.lefevre@atelier-lumiere.example', 129999, timestamptz '2026-06-15 14:55 Europe/Paris', NULL::timestamptz),
    (uuid 'ec9a24c8-99f3-4dd1-b821-84c3bb92870b', 'b.oeuvrard@menuiserie-oeuvrard.example', 415000, timestamptz '2026-06-29 09:35 Europe/Paris', timestamptz '2026-07-06 16:20 Europe/Paris'),
    (uuid 'b5e463a9-7520-4006-b699-237421670139', 'ines.ribeiro@fado.example', 333333, timestamptz '2026-07-13 13:15 Europe/Paris', NULL::timestamptz),
    (uuid '7a8bdf04-4c51-4c95-97ae-692d37d8074a', 'theo.senechal@lycee-moulin.example', 780000, timestamptz '2026-08-03 10:05 Europe/Paris', timestamptz '2026-08-10 09:30 Europe/Paris'),
    (uuid '85fb14cd-5421-434f-8de0-a7ba2434a37d', 'anais.morel@brasserie-etoile.example', 2100000, timestamptz '2026-08-24 15:50 Europe/Paris', timestamptz '2026-09-01 14:10 Europe/Paris'),
    (uuid '2ba69b61-2fb9-475d-9286-90dd651ddde1', 'oceane.perez@domaine-cedres.example', 59900, timestamptz '2026-09-07 11:30 Europe/Paris', NULL::timestamptz),
    (uuid '77053f32-df07-4122-80fb-c1a327d11e45', 'valerie.yvon@theatre-chatelain.example', 1475000, timestamptz '2026-09-21 09:45 Europe/Paris', timestamptz '2026-09-28 10:25 Europe/Paris')
) AS sample (id, reached_at, total_amount, created_at, signed_at)
JOIN customer ON coalesce(customer.email, customer.phone) = sample.reached_at
ORDER BY sample.created_at;

INSERT INTO payment (id, contract_id, amount, received_on, method, reference, recorded_by, recorded_by_id, recorded_at)
SELECT sample.id, sample.contract_id, sample.amount, ((contract.signed_at + sample.after) AT TIME ZONE 'Europe/Paris')::date,
       CASE WHEN sample.amount < 60000 THEN 'cheque'::payment_method ELSE 'transfer' END,
       CASE WHEN sample.amount < 60000 THEN 'CHQ ' || sample.amount END,
       customer_view.commercial, customer_view.commercial_id, contract.signed_at + sample.after
FROM (VALUES
    (uuid 'e38a5c24-c757-4011-9154-ee45212d7bd5', uuid 'ab0469a5-c2ba-4ff7-b9d4-9080df2db07e', 1250000, interval '7 days'),
    (uuid 'd8685fae-e505-47e5-a1a3-97e01b399179', uuid '771c41ae-3218-4492-a2a3-f5b7aae8ec3d', 240000, interval '7 days'),
    (uuid '76c77ff1-2e84-4184-9c3d-e6627ec56be3', uuid '771c41ae-3218-4492-a2a3-f5b7aae8ec3d', 240000, interval '14 days'),
    (uuid 'a2e19158-4e62-4c1b-899e-7780efe15a39', uuid 'b0f94adc-0ac3-46cb-bb52-cecbf41673e5', 300000, interval '7 days'),
    (uuid '9fc8c651-1a1d-47c4-b0c2-1f724601ecf4', uuid 'b1fca6de-884d-4803-b760-ebd7f8cac475', 360000, interval '7 days'),
    (uuid '854e6a1c-8858-43ed-99f7-58b387a8f6a2', uuid '6384e0b3-7b55-4bcb-91f1-20682cc85dc0', 600000, interval '7 days'),
    (uuid 'b029d040-1fe0-435e-b6c6-36601c1996ec', uuid '6384e0b3-7b55-4bcb-91f1-20682cc85dc0', 600000, interval '14 days'),
    (uuid '1dffadfa-612c-4c01-ae66-66d745b11ec2', uuid '6384e0b3-7b55-4bcb-91f1-20682cc85dc0', 699900, interval '21 days'),
    (uuid '4c86625f-13d7-423c-93e9-d58574a12dec', uuid 'f1640ff8-d059-403c-b0d5-295ffc6e627d', 56000, interval '7 days'),
    (uuid '02dda59b-d365-43e2-ae8d-2653dda09d7a', uuid 'de0bf099-fc0a-4da4-959c-b16cd9e05bca', 1170000, interval '7 days'),
    (uuid '32d394ac-3f83-473d-adbc-ca9041142dae', uuid '2c753854-647e-425b-af7c-17507335f501', 640000, interval '7 days'),
    (uuid '1a9eca6b-4294-4260-a20c-2a23e852f2a2', uuid '31677ba0-5257-4de0-949c-d5401aa941a4', 500000, interval '7 days'),
    (uuid '7f7694a8-a772-4064-be52-28593d02ab59', uuid 'ec9a24c8-99f3-4dd1-b821-84c3bb92870b', 100000, interval '7 days'),
    (uuid 'cc5654cb-d06a-4326-b273-65b089ed5cd0', uuid 'ec9a24c8-99f3-4dd1-b821-84c3bb92870b', 15000, interval '14 days'),
    (uuid 'b073d620-673f-4fd9-b99b-ceddee310fbd', uuid '7a8bdf04-4c51-4c95-97ae-692d37d8074a', 780000, interval '7 days'),
    (uuid '7b94981e-6623-47d0-8121-44563f46f29b', uuid '77053f32-df07-4122-80fb-c1a327d11e45', 737500, interval '7 days')
) AS sample (id, contract_id, amount, after)
JOIN contract ON contract.id = sample.contract_id
JOIN customer_view ON customer_view.id = contract.customer_id;

-- One was typed twice, and taken back.
INSERT INTO payment (id, contract_id, amount, received_on, method, recorded_by, recorded_by_id, recorded_at, voided_at, voided_by, voided_by_id, void_reason)
SELECT '3c0f7a65-93d1-4ce0-8d5b-2f1a7f0c6e19', contract_id, amount, received_on, method, recorded_by, recorded_by_id, recorded_at + interval '2 minutes',
       recorded_at + interval '9 minutes', recorded_by, recorded_by_id, 'Saisi deux fois'
FROM payment
WHERE id = 'a2e19158-4e62-4c1b-899e-7780efe15a39';

-- Those that were paid had their day, thirty after the signature; of the others it would be another each morning how late
-- they are.
UPDATE contract
SET due_on = (signed_at AT TIME ZONE 'Europe/Paris')::date + 30
WHERE status = 'paid';

UPDATE contract
SET updated_at = greatest(created_at, signed_at, (SELECT max(recorded_at) FROM payment WHERE contract_id = contract.id));

INSERT INTO event (name, contract_id, support_id, start_at, end_at, attendees, location, note, updated_at)
SELECT sample.name, sample.contract_id, employee.id, sample.start_at, sample.start_at + sample.lasts, sample.attendees,
       sample.location, sample.note, contract.signed_at + interval '1 day'
FROM (VALUES
    (1, 'Séminaire annuel Marsh', uuid 'ab0469a5-c2ba-4ff7-b9d4-9080df2db07e', 'support1',
     timestamptz '2026-02-12 09:00 Europe/Paris', interval '8 hours', 75,
     '53 rue du Château, 41120 Candé-sur-Beuvron', E'Vestiaire dès 8 h.\nDéjeuner à 12 h 30, dont six repas végétariens.'),
    (2, 'Vernissage Lumière', uuid '771c41ae-3218-4492-a2a3-f5b7aae8ec3d', 'support2',
     timestamptz '2026-03-05 18:30 Europe/Paris', interval '4 hours', 120,
     'Halle Tony-Garnier, 69007 Lyon', NULL),
    (3, 'Soirée fado', uuid 'b0f94adc-0ac3-46cb-bb52-cecbf41673e5', 'support1',
     timestamptz '2026-04-17 20:00 Europe/Paris', interval '5 hours', 60,
     'Le Petit Lisbonne, 33000 Bordeaux', 'Deux guitares, une voix : prévoir trois loges.'),
    (4, 'Fête de la bière', uuid 'b1fca6de-884d-4803-b760-ebd7f8cac475', 'support2',
     timestamptz '2026-05-22 17:00 Europe/Paris', interval '7 hours', 200,
     'Place Kléber, 67000 Strasbourg', NULL),
    (5, 'Mariage Pérez-Roche', uuid '6384e0b3-7b55-4bcb-91f1-20682cc85dc0', 'support1',
     timestamptz '2026-06-20 11:00 Europe/Paris', interval '16 hours', 145,
     'Domaine des Cèdres, 31380 Paulhac', 'Fanfare à 17 h, feu d''artifice à 23 h.'),
    (6, 'Régate des deux baies', uuid '9a2f79e6-0b1a-4bce-901b-a04516f81cdd', 'support2',
     timestamptz '2026-09-12 08:00 Europe/Paris', interval '34 hours', 310,
     'Port du Moulin Blanc, 29200 Brest', NULL),
    (7, 'Première de saison', uuid 'de0bf099-fc0a-4da4-959c-b16cd9e05bca', 'support1',
     timestamptz '2026-10-09 19:30 Europe/Paris', interval '4 hours', 450,
     'Théâtre du Châtelain, 13001 Marseille', 'Accès pompiers libre côté jardin.'),
    (8, 'Salon du livre jeunesse', uuid '2c753854-647e-425b-af7c-17507335f501', NULL::text,
     date_trunc('day', now(), 'Europe/Paris') + interval '12 days 10 hours', interval '9 hours', 800,
     'Cloître des Billettes, 75004 Paris', NULL),
    (9, 'Gala du Ski Club', uuid '31677ba0-5257-4de0-949c-d5401aa941a4', 'support2',
     date_trunc('day', now(), 'Europe/Paris') + interval '40 days 19 hours', interval '6 hours', 180,
     'Palais Wilson, Genève', NULL),
    (10, 'Inauguration de l''atelier', uuid 'ec9a24c8-99f3-4dd1-b821-84c3bb92870b', NULL::text,
     NULL::timestamptz, NULL::interval, NULL::integer,
     NULL::text, 'Date à fixer avec M. Œuvrard.')
) AS sample (position, name, contract_id, support, start_at, lasts, attendees, location, note)
JOIN contract ON contract.id = sample.contract_id
LEFT JOIN employee ON employee.username = sample.support
ORDER BY sample.position;

-- One will not take place.
INSERT INTO event (name, contract_id, start_at, end_at, attendees, location, updated_at, cancelled_at, cancel_reason)
SELECT 'Fête de fin d''année', '7a8bdf04-4c51-4c95-97ae-692d37d8074a', timestamptz '2026-12-18 14:00 Europe/Paris', timestamptz '2026-12-18 18:00 Europe/Paris', 350,
       'Gymnase du lycée, 93100 Montreuil', day, day, 'Le gymnase est en travaux'
FROM (VALUES (timestamptz '2026-10-05 09:00 Europe/Paris')) AS cancelled (day);

-- What is to be done of two contracts, by those who run their events.
INSERT INTO reminder (due_on, for_id, contract_id, text, updated_at)
SELECT sample.due_on, employee.id, sample.contract_id, sample.text, timestamptz '2026-10-10 09:00 Europe/Paris'
FROM (VALUES
    (date '2026-10-12', 'support1', uuid 'de0bf099-fc0a-4da4-959c-b16cd9e05bca', 'Rendre les clés du théâtre'),
    (date '2026-10-14', 'support2', uuid '31677ba0-5257-4de0-949c-d5401aa941a4', 'Confirmer le nombre de couverts du gala')
) AS sample (due_on, support, contract_id, text)
JOIN employee ON employee.username = sample.support
ORDER BY sample.due_on;

END
$sample$;
