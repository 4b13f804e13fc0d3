"""What every writer stores: passages of three documents, in order."""

DOCUMENTS = {
    "pump.md": [
        "The pump must be stopped before the lid is opened, because the impeller keeps turning for nine seconds.",
        "Grease the bearing of the impeller every nine hundred hours, and whenever it sings.",
        "Belts are replaced in pairs, since a new one beside an old one slips and burns.",
        "A pump that draws air has a leak on the suction side, mostly at the gasket of the lid.",
    ],
    "desk.md": [
        "A lost password is reset by the desk on the second floor, against a card with a picture.",
        "The VPN asks for the password and for six digits from the telephone.",
        "Laptops are replaced every four years, and earlier if the battery swells.",
        "New screens are ordered through the catalogue, and come within a week.",
    ],
    "house.md": [
        "The fire drill begins at nine, and everybody leaves the house by the stairs.",
        "Bicycles are kept in the cellar, whose door opens with the code of the day.",
        "The canteen serves soup on Mondays and fish on Fridays.",
        "Windows stay closed while the heating is on, which the porter checks at noon.",
    ],
}
QUERY, ANSWER, SOURCE = "Where can I put my bike?", DOCUMENTS["house.md"][1], "house.md"
