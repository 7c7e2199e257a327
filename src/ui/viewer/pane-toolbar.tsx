/** Tools of the viewer as named buttons; each says its key. */
import { Button } from '@mantine/core';
import type { JSX } from 'react';
import type { ImageStack } from './stack.ts';
import type { WindowPreset } from './windowing.ts';

/** What a drag with the main button does. */
export type PointerTool = 'window' | 'pan' | 'zoom' | 'scroll';

const tools: readonly { tool: PointerTool; label: string; help: string }[] = [
  { tool: 'window', label: 'Fenêtrage', help: 'Glisser : contraste et luminosité' },
  { tool: 'scroll', label: 'Défilement', help: 'Glisser ou molette : passer les images' },
  { tool: 'zoom', label: 'Zoom', help: 'Glisser, Ctrl + molette, ou bouton droit' },
  { tool: 'pan', label: 'Déplacer', help: 'Glisser, ou bouton du milieu' },
];

interface PaneToolbarProps {
  tool: PointerTool;
  onTool(tool: PointerTool): void;
  stack: ImageStack | undefined;
  presets: readonly WindowPreset[];
  inverted: boolean;
}

export function PaneToolbar({ tool, onTool, stack, presets, inverted }: PaneToolbarProps): JSX.Element {
  return (
    <div className="pane-toolbar" role="toolbar" aria-label="Outils de l’image">
      {tools.map((one) => (
        <Button
          key={one.tool}
          size="compact-xs"
          variant={tool === one.tool ? 'filled' : 'default'}
          aria-pressed={tool === one.tool}
          title={one.help}
          onClick={() => onTool(one.tool)}
        >
          {one.label}
        </Button>
      ))}
      <span className="toolbar-gap" />
      {presets.map((preset) => (
        <Button
          key={preset.name}
          size="compact-xs"
          variant="default"
          title={`Fenêtre ${preset.name} : largeur ${preset.width}, centre ${preset.center} (touche ${preset.key})`}
          onClick={() => stack?.setWindowing(preset)}
        >
          {preset.name}
        </Button>
      ))}
      <span className="toolbar-gap" />
      <Button
        size="compact-xs"
        variant={inverted ? 'filled' : 'default'}
        aria-pressed={inverted}
        title="Inverser (touche i)"
        onClick={() => stack?.invert()}
      >
        Inverser
      </Button>
      <Button size="compact-xs" variant="default" title="Affichage initial (touche r)" onClick={() => stack?.reset()}>
        Réinitialiser
      </Button>
    </div>
  );
}
