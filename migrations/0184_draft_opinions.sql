-- What a second reader says of a report that is not signed is part of its writing: withheld as the draft is (0183), by the category of the message.
CREATE FUNCTION draft_opinion_keys() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE
  RETURN ARRAY[('x' || left(encode(sha256(convert_to(current_tenant()
    || E'\x01category\x01shttps://fhir.passerelle.example/CodeSystem/communication-category\x01draft-opinion', 'UTF8')), 'hex'), 16))::bit(64)::bigint];

-- Past versions are seen by whoever sees the message as it is now.
CREATE POLICY draft ON fhir.communication AS RESTRICTIVE TO passerelle_limited
  USING (CASE WHEN keys && (SELECT draft_opinion_keys()) THEN (SELECT sees_drafts() OR sees_whole_type('communication')) ELSE true END);
