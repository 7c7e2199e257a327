/** The demonstration hospital: its data, its accounts, and a simulated RIS and scanner that play the other side. */
export { startSimulatedHospital } from './hospital.ts';
export { demoAccounts, demoHospital, seedDemonstration } from './seed.ts';
