-- Storage of FHIR resources (docs/decisions/0002-storage-layout.md): one table per R4 resource type, one row per resource, one GIN
-- over 64-bit keys; superseded versions only in `<type>_past`. A schema of their own, so that no resource name meets another table.
CREATE SCHEMA fhir;
GRANT USAGE ON SCHEMA fhir TO passerelle_app;

CREATE PROCEDURE fhir.create_type(type text, dates integer) LANGUAGE plpgsql AS $$
DECLARE
  current text := 'fhir.' || quote_ident(lower(type));
  past text := 'fhir.' || quote_ident(lower(type) || '_past');
  columns text := '';
  n integer;
BEGIN
  -- Dates worth sorting by: a half-open interval; '-infinity' twice when the resource has none (no NULL: keyset cursors compare it).
  FOR n IN 1..dates LOOP
    columns := columns || format('d%1$s_lo timestamptz NOT NULL DEFAULT ''-infinity'', d%1$s_hi timestamptz NOT NULL DEFAULT ''-infinity'', ', n);
  END LOOP;
  EXECUTE format('CREATE TABLE %s (
    tenant text NOT NULL, id text COLLATE "C" NOT NULL, version integer NOT NULL, updated timestamptz NOT NULL,
    deleted boolean NOT NULL DEFAULT false, %s keys bigint[] NOT NULL DEFAULT ''{}'', content text NOT NULL,
    PRIMARY KEY (tenant, id))', current, columns);
  -- A small pending list keeps look-ups fast right after writes: at the default of 4 MB every search reads up to 4 MB first.
  EXECUTE format('CREATE INDEX %I ON %s USING gin (keys) WITH (gin_pending_list_limit = 128)', lower(type) || '_keys', current);
  EXECUTE format('CREATE INDEX %I ON %s (tenant, updated, id)', lower(type) || '_updated', current);
  FOR n IN 1..dates LOOP
    EXECUTE format('CREATE INDEX %I ON %s (tenant, d%s_lo, id)', lower(type) || '_d' || n, current, n);
  END LOOP;
  EXECUTE format('CREATE TABLE %s (
    tenant text NOT NULL, id text COLLATE "C" NOT NULL, version integer NOT NULL, updated timestamptz NOT NULL,
    deleted boolean NOT NULL, content text NOT NULL,
    PRIMARY KEY (tenant, id, version))', past);
  EXECUTE format('CREATE INDEX %I ON %s (tenant, updated, id)', lower(type) || '_past_updated', past);
  CALL protect_tenant(current::regclass);
  CALL protect_tenant(past::regclass);
  -- History is never rewritten by the application; resources are never removed by it, a delete is a version.
  EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %s TO passerelle_app', current);
  EXECUTE format('GRANT SELECT, INSERT ON %s TO passerelle_app', past);
END
$$;

DO $$
DECLARE
  type text;
  -- How many date parameters of a type have columns: src/fhir/search/date-columns.ts says which.
  dated constant jsonb := '{"Appointment": 1, "AuditEvent": 1, "Communication": 1, "DiagnosticReport": 2, "DocumentReference": 1,
    "Encounter": 1, "Flag": 1, "ImagingStudy": 1, "Observation": 1, "Patient": 1, "Procedure": 1, "Provenance": 1,
    "ServiceRequest": 2, "Task": 2}';
BEGIN
  FOREACH type IN ARRAY string_to_array(regexp_replace('
    Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment AppointmentResponse AuditEvent Basic Binary
    BiologicallyDerivedProduct BodyStructure Bundle CapabilityStatement CarePlan CareTeam CatalogEntry ChargeItem
    ChargeItemDefinition Claim ClaimResponse ClinicalImpression CodeSystem Communication CommunicationRequest
    CompartmentDefinition Composition ConceptMap Condition Consent Contract Coverage CoverageEligibilityRequest
    CoverageEligibilityResponse DetectedIssue Device DeviceDefinition DeviceMetric DeviceRequest DeviceUseStatement
    DiagnosticReport DocumentManifest DocumentReference EffectEvidenceSynthesis Encounter Endpoint EnrollmentRequest
    EnrollmentResponse EpisodeOfCare EventDefinition Evidence EvidenceVariable ExampleScenario ExplanationOfBenefit
    FamilyMemberHistory Flag Goal GraphDefinition Group GuidanceResponse HealthcareService ImagingStudy Immunization
    ImmunizationEvaluation ImmunizationRecommendation ImplementationGuide InsurancePlan Invoice Library Linkage List Location
    Measure MeasureReport Media Medication MedicationAdministration MedicationDispense MedicationKnowledge MedicationRequest
    MedicationStatement MedicinalProduct MedicinalProductAuthorization MedicinalProductContraindication
    MedicinalProductIndication MedicinalProductIngredient MedicinalProductInteraction MedicinalProductManufactured
    MedicinalProductPackaged MedicinalProductPharmaceutical MedicinalProductUndesirableEffect MessageDefinition MessageHeader
    MolecularSequence NamingSystem NutritionOrder Observation ObservationDefinition OperationDefinition OperationOutcome
    Organization OrganizationAffiliation Parameters Patient PaymentNotice PaymentReconciliation Person PlanDefinition
    Practitioner PractitionerRole Procedure Provenance Questionnaire QuestionnaireResponse RelatedPerson RequestGroup
    ResearchDefinition ResearchElementDefinition ResearchStudy ResearchSubject RiskAssessment RiskEvidenceSynthesis Schedule
    SearchParameter ServiceRequest Slot Specimen SpecimenDefinition StructureDefinition StructureMap Subscription Substance
    SubstanceNucleicAcid SubstancePolymer SubstanceProtein SubstanceReferenceInformation SubstanceSourceMaterial
    SubstanceSpecification SupplyDelivery SupplyRequest Task TerminologyCapabilities TestReport TestScript ValueSet
    VerificationResult VisionPrescription', '\s+', ' ', 'g'), ' ') LOOP
    CONTINUE WHEN type = '';
    CALL fhir.create_type(type, coalesce((dated ->> type)::integer, 0));
  END LOOP;
END
$$;

-- The audit trail is append-only: what was recorded cannot be changed by the application, whatever its code does.
REVOKE UPDATE, DELETE, TRUNCATE ON fhir.auditevent FROM passerelle_app;

-- Values that need order: strings (folded), dates and numbers beyond the columns above. `param` is the 32-bit key of type and parameter.
CREATE TABLE fhir.string_key (
  tenant text NOT NULL,
  param integer NOT NULL,
  value text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, param, value, id)
);

CREATE TABLE fhir.date_key (
  tenant text NOT NULL,
  param integer NOT NULL,
  lo timestamptz NOT NULL,
  hi timestamptz NOT NULL,
  id text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, param, lo, hi, id)
);

-- `unit` is the key of a unit (system and code, code alone, or the unit as written), 0 for the number without its unit.
CREATE TABLE fhir.number_key (
  tenant text NOT NULL,
  param integer NOT NULL,
  unit bigint NOT NULL,
  lo double precision NOT NULL,
  hi double precision NOT NULL,
  id text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, param, unit, lo, hi, id)
);

-- Of one resource, for sorting and for removing what an update replaces.
CREATE INDEX string_key_id ON fhir.string_key (tenant, id, param);
CREATE INDEX date_key_id ON fhir.date_key (tenant, id, param);
CREATE INDEX number_key_id ON fhir.number_key (tenant, id, param);

CALL protect_tenant('fhir.string_key');
CALL protect_tenant('fhir.date_key');
CALL protect_tenant('fhir.number_key');
GRANT SELECT, INSERT, DELETE ON fhir.string_key, fhir.date_key, fhir.number_key TO passerelle_app;
