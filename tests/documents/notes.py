"""A vault of notes as people keep them: named by their file, without headings, linked to each other."""

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from random import Random

# What the notes of a subject say: mostly without the note's own name, with links to the others.
_SUBJECTS: dict[tuple[str, ...], str] = {
    (
        "Replaced in March, next time in two years.",
        "The manual is in the blue folder, see [[{0}]].",
        "- [ ] ask the landlord about [[{1}]]\n- [x] order spare parts",
        "Paid 48 euros, the receipt is with [[{0}|the other papers]].",
    ): "Smoke alarm;Boiler pressure;Fuse box;Bike cellar key;Window seals;Washing machine filter;Door bell;Attic "
    "insulation;Rain barrel;Kitchen tap;Balcony plants;Paint colours;Moving boxes;Fire extinguisher;Water meter;Router",
    (
        "Fry gently for ten minutes, then add the rest.",
        "Serves four. Goes well with [[{0}]].",
        "Less salt next time!! #kitchen",
        "200 g flour\n2 eggs\nsome milk",
        "From grandmother, who made [[{1}]] the same way.",
    ): "Lentil soup;Plum cake;Pancakes;Pumpkin risotto;Sourdough starter;Pickled cucumbers;Mushroom ragout;Bean salad;"
    "Potato dumplings;Rhubarb jam;Onion tart;Chickpea curry;Vegetable stock;Apple sauce;Walnut bread;Herb butter",
    (
        "Talked for an hour; decided to wait until autumn.",
        "Actions:\n\n- Mia writes to the supplier\n- Jon updates [[{0}]]",
        "Open question: who owns [[{1}]]?",
        "Budget stays as it is. Next meeting on the 14th.",
    ): "Kickoff with the printers;Budget round autumn;Hiring plan;Retro sprint 12;Supplier call;Office move;Security "
    "review;Roadmap draft;Customer interviews;Pricing workshop;Onboarding buddies;Release party;Quarterly goals;Trade "
    "fair;Newsletter ideas;Support rota",
    (
        "> The best parts are those in between.",
        "Read on the train. Reminds me of [[{0}]].",
        "Key idea: small steps, often. See also [[{1}]] and #reading",
        "Chapter 3 repeats chapter 1. Skip it.",
    ): "Spaced repetition;Second law of thermodynamics;Dunning and Kruger;Sunk cost;Chesterton's fence;Conway's law;"
    "Gall's law;Zettelkasten;Parkinson's law;Goodhart's law;Hanlon's razor;Lindy effect;Overton window;Pareto "
    "principle;Occam's razor;Survivorship bias",
    (
        "```sh\nsudo systemctl restart it\n```\n\nhelped once.",
        "Works since the last update, no idea why.",
        "Same symptom as in [[{0}]].",
        "Ports 8080 and 8443, behind [[{1}]].",
        "TODO automate",
    ): "Printer offline;DNS at home;VPN on the laptop;Backup disk;SSH keys;Camera firmware;Mail filters;Docker cleanup;"
    "Postgres upgrade;Nginx timeout;Certificate renewal;Raspberry Pi cluster;Git bisect;Regex cheats;Time zones;Log "
    "rotation",
    (
        "Beim letzten Mal hat es zwei Stunden gedauert.",
        "Siehe [[{0}]].",
        "- Ausweis mitnehmen\n- vorher anrufen",
        "Kostet etwa 30 Euro. Danach zu [[{1}]].",
    ): "Steuererklärung;Zahnarzt;Reisepass verlängern;Kfz-Versicherung;Elternabend;Kleingarten;Hausratversicherung;"
    "Fahrradwerkstatt;Weihnachtsmarkt;Mietvertrag;Impfpass;Führerschein;Stromzähler;Kindergeld;Rentenbescheid;Umzug",
    (
        "À refaire au printemps.",
        "Voir aussi [[{0}]].",
        "Le magasin ferme à 18 h, mieux vaut téléphoner.",
        "Prix : 25 euros. Demander pour [[{1}]].",
    ): "Vacances en Bretagne;Cours de poterie;Marché du samedi;Recette de crêpes;Carnet de santé;Assurance vie;"
    "Bibliothèque;Chauffe-eau;Taxe foncière;Vélo de Louise;Fête des voisins;Jardin partagé;Permis de construire;Liste "
    "de lecture;Piano d'occasion;Tante Odile",
    (
        "Hay que llamar antes de las diez.",
        "Véase [[{0}]].",
        "- llevar agua\n- comprar billetes",
        "Quedó muy bien, como [[{1}]].",
    ): "Viaje a Granada;Tortilla de patatas;Clases de guitarra;Cita del médico;Taller mecánico;Huerto;Cumpleaños de "
    "Lucía;Alquiler del piso;Gimnasio;Camino de Santiago;Declaración de la renta;Pintar la cocina;Perro del vecino;"
    "Regalos de Navidad;Curso de cerámica;Factura de la luz",
    (
        "Left at six, back after dark.",
        "Hut was full. Bring a tent, as at [[{0}]].",
        "Steep, 900 m up. Nicer than [[{1}]].",
        "Bus 36 stops running in October.",
    ): "Ridge walk;Lake loop;North face hut;Old mill trail;Ferry island;Gorge path;Three summits;Salt marsh;Waterfall;"
    "Border crossing;Night train;Lighthouse;Vineyard path;Moor crossing;Castle ruin;Dune camp",
    (
        "Born in 1962, lives by the sea.",
        "Met at [[{0}]].",
        "Likes: chess, liquorice. Birthday 3 May.",
        "Owes me a book. Knows [[{1}]].",
    ): "Anna Lindqvist;Bruno Keller;Carla Medina;Dmitri Orlov;Elif Aydin;Farid Nasser;Greta Holm;Hugo Marchand;Ines "
    "Costa;Jonas Weber;Kenji Mori;Leila Haddad;Marek Novak;Nora Byrne;Otto Brandt;Priya Raman",
}
_FRONT = ("", "", "---\ntags: [note, {year}]\n---\n", "---\ncreated: {year}-04-02\naliases: []\n---\n\n", "")


def write_notes(folder: Path) -> list[str]:
    """Write the notes, the same in each run, and return their names."""
    random = Random(7)
    names = [name for names in _SUBJECTS.values() for name in names.split(";")]
    folder.mkdir(parents=True)
    for (name, sayings), front in zip(_each(), cycle(_FRONT), strict=False):
        lines = random.sample(sayings, random.randint(2, len(sayings)))
        text = "\n\n".join(lines).format(*random.sample([other for other in names if other != name], 2))
        head = front.format(year=random.randint(2019, 2026))
        (folder / f"{name}.md").write_text(f"{head}{text}\n", encoding="utf-8")
    return names


def _each() -> Iterator[tuple[str, tuple[str, ...]]]:
    for sayings, names in _SUBJECTS.items():
        yield from ((name, sayings) for name in names.split(";"))
