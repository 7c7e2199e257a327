/** FHIR R4 Endpoint: where the images of a tenant are served. */
import type { Endpoint } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../fhir/index.ts';

const endpointSystem = 'https://fhir.passerelle.example/sid/endpoint';
const endpointName = 'dicomweb';

/** Literal reference of the tenant's DICOMweb Endpoint, made the first time and corrected when the public address changed. */
export async function dicomwebEndpoint(tx: FhirTransaction, baseUrl: string): Promise<string> {
  const address = `${baseUrl}/dicomweb`;
  const known = await tx.find('Endpoint', endpointName);
  if (known?.address === address) return `Endpoint/${known.id}`;
  await tx.lock(`endpoint:${endpointName}`);
  const current = await tx.find('Endpoint', endpointName);
  if (current?.address === address) return `Endpoint/${current.id}`;
  const endpoint: Endpoint = {
    resourceType: 'Endpoint',
    id: endpointName,
    identifier: [{ system: endpointSystem, value: endpointName }],
    status: 'active',
    connectionType: {
      system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type',
      code: 'dicom-wado-rs',
      display: 'DICOM WADO-RS',
    },
    name: 'DICOMweb',
    payloadType: [{ text: 'DICOM' }],
    payloadMimeType: ['application/dicom'],
    address,
  };
  await tx.update(current ? { ...current, address } : endpoint);
  return `Endpoint/${endpointName}`;
}
