-- Callers who may not see all of a tenant: what they see is decided row by row, here and in the query (docs/access/policy.md).

-- The limits are policies of a role of its own. It can only read, it has no right but those below, and without keys it sees nothing:
-- a table or a setting that was forgotten shows nothing instead of everything. Plans of the application's role stay as they were.
DO $$
DECLARE
  member text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'passerelle_limited') THEN
    CREATE ROLE passerelle_limited NOLOGIN NOBYPASSRLS;
  END IF;
  -- Whoever may take the application's role may take this one.
  FOR member IN
    SELECT m.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member
    WHERE a.roleid = 'passerelle_app'::regrole AND NOT pg_has_role(m.oid, 'passerelle_limited', 'MEMBER')
  LOOP
    EXECUTE format('GRANT passerelle_limited TO %I', member);
  END LOOP;
END
$$;

GRANT USAGE ON SCHEMA public, fhir, terminology TO passerelle_limited;
GRANT SELECT ON fhir.string_key, fhir.date_key, fhir.number_key TO passerelle_limited;
GRANT SELECT ON ALL TABLES IN SCHEMA terminology TO passerelle_limited;
GRANT SELECT ON dicom_study, dicom_series, dicom_instance TO passerelle_limited;

-- Search keys of which a row must carry one; none when the session has not said.
CREATE FUNCTION current_row_keys() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE
  RETURN coalesce(nullif(current_setting('passerelle.row_keys', true), ''), '{}')::bigint[];

-- Whether the session sees every row of a type (its name in lower case).
CREATE FUNCTION sees_whole_type(type text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  RETURN type = ANY (coalesce(nullif(current_setting('passerelle.whole_types', true), ''), '{}')::text[]);

-- Sub-selects are evaluated once a statement and not once a row. CASE keeps the planner from guessing: of keys it does not know it
-- expects one row in two hundred, and would leave good orders for bad ones; of a CASE it expects half.
CREATE PROCEDURE fhir.limit_rows(type text) LANGUAGE plpgsql AS $$
DECLARE
  current text := 'fhir.' || quote_ident(lower(type));
  past text := 'fhir.' || quote_ident(lower(type) || '_past');
BEGIN
  EXECUTE format('CREATE POLICY row_scope ON %s AS RESTRICTIVE TO passerelle_limited
    USING (CASE WHEN keys && (SELECT current_row_keys()) THEN true ELSE (SELECT sees_whole_type(%L)) END)', current, lower(type));
  -- A version is seen by whoever sees the resource as it is now.
  EXECUTE format('CREATE POLICY row_scope ON %1$s AS RESTRICTIVE TO passerelle_limited
    USING (EXISTS (SELECT FROM %2$s c WHERE c.tenant = %1$s.tenant AND c.id = %1$s.id))', past, current);
END
$$;

DO $$
DECLARE
  type text;
  -- Directories, definitions, the trail (auditors only), subscriptions (their owner only): everything else is patient data.
  unlimited constant text[] := string_to_array(lower(regexp_replace(btrim('
    ActivityDefinition AuditEvent CapabilityStatement CatalogEntry ChargeItemDefinition CodeSystem
    CompartmentDefinition ConceptMap Device DeviceDefinition EffectEvidenceSynthesis Endpoint EventDefinition Evidence
    EvidenceVariable ExampleScenario GraphDefinition HealthcareService ImplementationGuide InsurancePlan Library
    Location Measure Medication MedicationKnowledge MedicinalProduct MedicinalProductAuthorization
    MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient MedicinalProductInteraction
    MedicinalProductManufactured MedicinalProductPackaged MedicinalProductPharmaceutical
    MedicinalProductUndesirableEffect MessageDefinition NamingSystem ObservationDefinition OperationDefinition
    Organization OrganizationAffiliation PlanDefinition Practitioner PractitionerRole Questionnaire ResearchDefinition
    ResearchElementDefinition RiskEvidenceSynthesis Schedule SearchParameter Slot SpecimenDefinition
    StructureDefinition StructureMap Subscription Substance SubstanceNucleicAcid SubstancePolymer SubstanceProtein
    SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification TerminologyCapabilities TestScript
    ValueSet'), '\s+', ' ', 'g')), ' ');
BEGIN
  FOR type IN
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'fhir'::regnamespace AND c.relkind IN ('r', 'p') AND a.attname = 'keys'
  LOOP
    EXECUTE format('GRANT SELECT ON fhir.%I, fhir.%I TO passerelle_limited', type, type || '_past');
    IF NOT type = ANY (unlimited) THEN CALL fhir.limit_rows(type); END IF;
  END LOOP;
END
$$;

-- Images are seen by whoever sees the ImagingStudy made of them.
CREATE POLICY row_scope ON dicom_study AS RESTRICTIVE TO passerelle_limited
  USING (EXISTS (SELECT FROM fhir.imagingstudy r WHERE r.tenant = dicom_study.tenant AND r.id = dicom_study.imaging_study));
CREATE POLICY row_scope ON dicom_series AS RESTRICTIVE TO passerelle_limited
  USING (EXISTS (SELECT FROM dicom_study s
    WHERE s.tenant = dicom_series.tenant AND s.study_uid = dicom_series.study_uid AND s.lot = dicom_series.lot));
CREATE POLICY row_scope ON dicom_instance AS RESTRICTIVE TO passerelle_limited
  USING (EXISTS (SELECT FROM dicom_study s
    WHERE s.tenant = dicom_instance.tenant AND s.study_uid = dicom_instance.study_uid AND s.lot = dicom_instance.lot));
