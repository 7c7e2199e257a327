/**
 * Passwords that guessers try first: common words, names, dates and what this house is about, alone or one after the other, with
 * figures and signs around them or in place of letters (`Motdepasse2026!`, `P@ssw0rd-1`, `Janvier-2026`, `Azerty123!`). Our own list;
 * leaked passwords are another matter, and would have to be asked of somebody outside.
 */

const words = `
  password passwort pass motdepasse mot passe mdp secret changeme changezmoi default defaut welcome bienvenue bonjour bonsoir salut
  hello coucou letmein ouvre login connexion compte user utilisateur guest invite admin administrateur administrator root system systeme
  test teste essai demo temp provisoire nouveau new master super superuser service support informatique ordinateur computer internet
  windows linux google facebook apple samsung iphone android microsoft oracle server serveur network wifi
  iloveyou jetaime love amour monamour coeur bisous bebe cheri cherie doudou chouchou loulou loulous titi toto tata tutu nounou maman papa
  famille mafamille princesse princess soleil sunshine lune etoile star fleur rose papillon butterfly licorne unicorn dragon monkey tigre
  tiger lion panda chat chaton chien minou rex lapin cheval dauphin loup ours requin shadow angel ange diable devil king queen roi reine
  chocolat vanille caramel orange citron cerise banane nutella cafe biere vodka pizza
  football foot rugby tennis basket baseball hockey judo velo moto voiture ferrari porsche renault peugeot
  marseille olympique psg lyon paris bordeaux toulouse nantes lille nice rennes strasbourg montpellier bretagne corse france francais
  afrique algerie maroc tunisie portugal espagne italie europe
  superman batman spiderman pokemon pikachu mario zelda starwars matrix naruto minecraft
  nicolas julien thomas alexandre maxime antoine kevin vincent sebastien guillaume romain benjamin david pierre jean paul louis lucas hugo
  arthur nathan michel philippe patrick christophe stephane laurent olivier frederic eric alain bernard marie camille marine julie laura
  sarah manon lea chloe emma clara ines pauline sophie isabelle nathalie sylvie catherine valerie sandrine celine aurelie caroline charlotte
  michael daniel jessica ashley jennifer charlie robert
  janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre january february march april june july august
  september october november december printemps ete automne hiver spring summer autumn winter noel vacances
  lundi mardi mercredi jeudi vendredi samedi dimanche monday friday sunday
  un deux trois quatre cinq one two three four azerty qwerty qwertz azer qwer wxcv qazwsx
  passerelle teleradiologie radiologie radiologue radio imagerie scanner irm echographie pacs ris dicom fhir hopital hospitalier hopitaux
  clinique chu chr ght samu urgence urgences garde astreinte bloc service medecin medecine docteur doctor infirmier infirmiere interne
  externe secretaire secretariat manipulateur patient patients sante health hospital armee armees militaire defense
`
  .trim()
  .split(/\s+/);

/** Neighbours in the alphabet and on both keyboards; three of them in a row, either way, are a word too. */
const rows = ['abcdefghijklmnopqrstuvwxyz', 'azertyuiop', 'qsdfghjklm', 'wxcvbn', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm'];
const shortestRun = 3;
const runs = rows.flatMap((row) => [row, [...row].reverse().join('')]);

const known: ReadonlySet<string> = new Set(words);
const longestWord = Math.max(...words.map((word) => word.length), ...rows.map((row) => row.length));

/** Figures and signs that stand for letters; 1 is read both ways. */
const lookalikes: Readonly<Record<string, string>> = {
  ...{ '0': 'o', '3': 'e', '4': 'a', '5': 's', '7': 't', '8': 'b', '@': 'a', $: 's', '€': 'e' },
};

/** @param folded the password without accents and capitals. */
export function isCommonPassword(folded: string): boolean {
  return readings(folded).some(isMadeOfWords);
}

/** The letters as they stand, and with what stands for letters between the figures and signs around. */
function readings(folded: string): string[] {
  const core = folded.replace(/[^a-z]+$/, '');
  const texts = [core, core.replace(/^[^a-z]+/, '')];
  const read = texts.flatMap((text) => ['i', 'l'].map((one) => text.replace(/./gu, (sign) => letterOf(sign, one))));
  return [...read, folded].map((text) => text.replace(/[^a-z]/g, ''));
}

function letterOf(sign: string, one: string): string {
  return sign === '1' || sign === '!' ? one : (lookalikes[sign] ?? sign);
}

function isMadeOfWords(letters: string): boolean {
  /** Places up to which words fill the text without a gap. */
  const filled = new Set([0]);
  for (let end = 1; end <= letters.length; end += 1) {
    for (let start = Math.max(0, end - longestWord); start < end; start += 1) {
      if (filled.has(start) && isWord(letters.slice(start, end))) filled.add(end);
    }
  }
  return letters.length > 0 && filled.has(letters.length);
}

function isWord(part: string): boolean {
  if (known.has(part)) return true;
  return part.length >= shortestRun && (runs.some((run) => run.includes(part)) || /^(.)\1+$/.test(part));
}
