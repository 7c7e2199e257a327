/** Remote maintenance (SE-11): announced windows, what was done in them, the closing report. */
export { boundToMaintenance } from './bound.ts';
export { recorded } from './commands.ts';
export { maintenanceReport } from './report.ts';
export { announce, closeWindow, findWindow, listWindows, supportRole } from './window.ts';
