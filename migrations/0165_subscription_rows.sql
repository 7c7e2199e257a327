-- Subscriptions say whom somebody waits for (`Task?patient=…`), and where to: who sees a part of a tenant sees their own only.
CALL fhir.limit_rows('Subscription');
CREATE POLICY row_narrowing ON fhir.subscription AS RESTRICTIVE TO passerelle_narrowed
  USING (meets_narrowing(keys, (SELECT row_narrowing('subscription'))));
