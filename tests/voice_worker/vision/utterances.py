"""What people say while they share a screen or a camera: what asks about what is shown (`+`), and what doesn't (`-`).

`TUNED` was looked at while the rules were written, `HELD_OUT` only once they were.
"""

from __future__ import annotations

TUNED = {
    "en": """
+ What is on my screen?
+ What do you see on my screen right now?
+ Can you see my screen?
+ Take a look at this, please.
+ Look at the error in the red box.
+ What does this message mean?
+ Can you read that to me?
+ What am I looking at?
+ Which button do I have to click?
+ Where should I click next?
+ Is this the right form?
+ I'm sharing my screen now, what's wrong with the second line?
+ What does the chart on this slide show?
+ Summarize the slide for me.
+ What's the number at the bottom of the page?
+ Can you tell me what this button does?
+ Why is this field red?
+ What colour is my shirt?
+ What am I holding in my hand?
+ Do you see the blue icon on the left?
+ Compare this slide with the previous one.
+ What is that?
+ What does it say at the top right?
+ I'm showing you the invoice, is the total right?
+ As you can see there's a warning, how do I get rid of it?
+ Here, look.
- When does the spa open?
- I see, thank you.
- Let me see, is there a table for two tonight?
- I'm looking for a double room.
- I look forward to it.
- Could you look up my booking?
- See you tomorrow.
- What is this weekend's special?
- How much is parking this week?
- Do you see what I mean?
- Is there a screen in the meeting room?
- Does the room have a television?
- I'd like to book this evening.
- What is your cancellation policy?
- Which room has a view of the sea?
- That looks good, thanks.
- Can I speak to a person, please?
- What's that going to cost me per night?
- Could you send me the invoice by email?
- I can't see why that should cost extra.
- We'll see.
- Can you check whether my reservation is confirmed?
- Is breakfast included?
- How do I look after the key card?
- What does it cost to bring a dog?
- Read me the opening hours of the restaurant.
- My name is Ada Byron and I need a taxi.
+ okay so what's the total in the last column
+ does this look right to you
+ how do i get past this page
+ it says something about a timeout what should i do
+ and the one below that
+ is my camera working
+ what brand is this
+ can you translate the paragraph on the right
+ which of these two charts is more convincing
+ the button is greyed out why
+ i clicked on it and nothing happened
+ could you check if i filled everything in
+ what happens if i press the red one
+ who is the person in the photo
+ how much is the third item in my cart
- i would like to know if you have a swimming pool
- can you tell me more about the second option you mentioned
- what's the number of the front desk
- could you explain this again please
- what did you say
- i want to book the room with the window to the garden
- is there an error in my bill
- do you see any problem with arriving at midnight
- can you book that for me
- what does half board mean
- where is the hotel on the map
- how do i get to the top of the hill
- do i have to fill in a form at check in
- right thank you
- who is the manager there
+ hang on let me zoom in is it readable now
+ what would you change about this layout
+ how do i turn off the thing in the corner
+ why does it keep loading
+ is the total at the bottom including tax
+ can you walk me through what i have here
+ should i pick yes or no
+ what's the name of the file i've selected
+ do these two numbers match
+ my window looks different from the manual
+ tell me where the settings are
+ what breed is my dog here
+ is the cable plugged in the right way
+ can you tell me who signed the contract i opened
+ i don't understand the third bullet
- could you put a second bed in the room
- do you have this in a bigger size
- i'd like the table in the corner by the window
- what happens if i arrive late
- does it get cold at night
- is there a page with your prices
- can you show me the cheapest room
- the air conditioning in my room is wrong
- is it possible to see the room first
- i read about the spa on your website
- what do i do with the key when i leave
- the red wine please
- what did it say in the contract about deposits
- tell me about the view
- that's right
+ could you check my screen and tell me what went wrong
+ what's that message at the bottom
+ okay I've opened the page, what now
+ which of these options is the cheapest
+ what does the graph tell us about march
+ I get this error when I save
+ am I on the right page
+ do you see the blue button
+ what's in this picture
+ what do I need to fill in here
+ is the date in the form correct
+ can you read the small print for me
+ and what's next to it on the right
+ how does my presentation look
- are dogs allowed in the rooms
- can I get a late checkout on sunday
- what's the wifi password
- I would like to see the manager
- how big is the pool
- is this the front desk
- does the price include dinner
- we are looking at arriving on friday
- what is the difference between half and full board
- thanks, that was very helpful
- could you show me your cheapest rooms
- this is my first visit
""",
    "de": """
+ Was siehst du auf meinem Bildschirm?
+ Kannst du meinen Bildschirm sehen?
+ Schau dir das mal an.
+ Was bedeutet diese Fehlermeldung?
+ Wo muss ich hier klicken?
+ Welchen Knopf soll ich drücken?
+ Was steht da oben rechts?
+ Kannst du mir das vorlesen?
+ Ich teile gerade meinen Bildschirm, was ist hier falsch?
+ Was zeigt das Diagramm auf dieser Folie?
+ Sehen Sie das rote Feld links?
+ Was halte ich in der Hand?
+ Ist das das richtige Formular?
+ Was ist das?
+ Fass mir die Folie zusammen.
+ Ich zeige Ihnen jetzt die Rechnung, stimmt die Summe?
- Wann öffnet das Spa?
- Ich suche ein Doppelzimmer.
- Mal sehen, haben Sie heute Abend einen Tisch?
- Wir sehen uns morgen.
- Was kostet das Frühstück?
- Ich sehe, danke.
- Können Sie bitte in meiner Buchung nachsehen?
- Gibt es im Besprechungsraum einen Bildschirm?
- Das sieht gut aus, danke.
- Ich möchte diese Woche buchen.
- Was ist das Besondere an der Suite?
- Schauen wir mal.
- Ich möchte mit einem Menschen sprechen.
- Wie lange ist die Küche geöffnet?
- Haben Sie an diesem Wochenende etwas frei?
- Vorsehen müssen wir nichts, oder?
+ wie komme ich auf die nächste seite
+ was soll ich jetzt auswählen
+ ist der rote balken schlimm
+ erkennst du was das für eine pflanze ist
+ da ist so ein gelbes dreieck was heißt das
+ wieviele einträge sind in der liste
+ warum ist der button grau
- ist das frühstück in diesem preis drin
- was heißt halbpension
- können sie das noch mal erklären
- gibt es ein zimmer mit fenster zum garten
- ich möchte die zweite option
- das ist richtig
- wie komme ich zum strand
- haben sie hier einen parkplatz
+ passt das so wie ich es eingegeben habe
+ was für ein modell ist das
+ warum lädt das nicht
+ soll ich ja oder nein nehmen
+ wo sind denn die einstellungen
+ kannst du die beiden kurven vergleichen
- können sie mir das günstigste zimmer zeigen
- ist das frühstück dabei
- was ist der unterschied zwischen den zimmern
- das passt so danke
- steht da noch etwas frei am freitag
- ich nehme den roten wein
+ kannst du mal auf meinen bildschirm schauen
+ was bedeutet die rote meldung
+ welche option muss ich hier nehmen
+ kannst du mir sagen was auf dem zettel steht
+ ich komme hier nicht weiter
+ wie viel kostet das dritte produkt auf der seite
- sind hunde erlaubt
- wie ist das wlan passwort
- ich möchte den chef sehen
- ist hier die rezeption
- das war sehr hilfreich
- wie groß ist der pool
""",
    "fr": """
+ Que vois-tu sur mon écran ?
+ Vous voyez mon écran ?
+ Regardez ça, s'il vous plaît.
+ Que veut dire ce message d'erreur ?
+ Où dois-je cliquer ?
+ Sur quel bouton faut-il appuyer ?
+ Qu'est-ce qui est écrit en haut à droite ?
+ Pouvez-vous me lire ce texte ?
+ Je partage mon écran, qu'est-ce qui ne va pas ici ?
+ Que montre le graphique sur cette diapositive ?
+ Tu vois le champ rouge à gauche ?
+ Qu'est-ce que je tiens dans la main ?
+ C'est quoi, ça ?
+ Résume-moi la diapositive.
+ Je vous montre la facture, le total est-il juste ?
- À quelle heure ouvre le spa ?
- Je cherche une chambre double.
- Voyons, avez-vous une table pour deux ce soir ?
- Je vois, merci.
- On verra demain.
- Combien coûte le petit-déjeuner ?
- Pouvez-vous regarder si ma réservation est confirmée ?
- Y a-t-il un écran dans la salle de réunion ?
- Ça a l'air bien, merci.
- Je voudrais réserver cette semaine.
- C'est quoi le prix du parking ?
- Je voudrais parler à une personne.
- Au revoir et à bientôt.
- Quelle chambre a vue sur la mer ?
- Ce week-end, avez-vous quelque chose de libre ?
+ pourquoi le bouton est gris
+ qu'est-ce que ça veut dire ce triangle jaune
+ c'est quelle marque ça
+ tu peux traduire le paragraphe à droite
+ comment je passe à la page suivante
+ combien d'articles il y a dans la liste
- qu'est-ce que ça veut dire demi-pension
- pouvez-vous répéter
- une chambre avec fenêtre sur jardin
- c'est bien ça
- je prends la deuxième option
- comment aller à la plage
+ est-ce que j'ai bien rempli le formulaire
+ pourquoi ça ne charge pas
+ où sont les paramètres
+ c'est quel modèle
+ tu peux comparer les deux courbes
- pouvez-vous me montrer la chambre la moins chère
- le vin rouge s'il vous plaît
- quelle est la différence entre les chambres
- c'est noté merci
- où est le parking
+ tu peux regarder mon écran et me dire ce qui cloche
+ que veut dire le message en rouge
+ quelle option dois-je choisir ici
+ qu'est-ce qu'on voit sur cette photo
+ je suis sur la bonne page
- les chiens sont-ils acceptés
- quel est le mot de passe du wifi
- je voudrais voir le directeur
- c'était très utile merci
- la piscine est grande
""",
}

HELD_OUT = {
    "en": """
+ What's showing on the display at the moment?
+ Could you have a look at my screen share?
+ Tell me what you can see.
+ What's this error about?
+ Is there anything wrong with this code?
+ Explain the diagram I have open.
+ Which menu do I open to change that?
+ What do the numbers in the table say?
+ How many people are in this picture?
+ Did you notice the popup that just came up?
+ What is the title of the slide?
+ Describe what's in front of the camera.
+ Can you spot the mistake in this formula?
+ What should I type in here?
+ Do you recognise this plant I'm holding up?
+ What does the yellow warning say?
+ Have I filled in this form correctly?
- Do you have a gym?
- I'd see to it that we arrive before ten.
- What time is check-in on Sundays?
- It looks like rain, is the pool indoors?
- I'm seeing a friend tonight, can you book a table for two?
- Please change my reservation to four people.
- Do I need to show my passport at the desk?
- How far is it to the station?
- Is this price per person?
- Have you looked into my complaint yet?
- Are the rooms on that side quieter?
- Could you read back my booking?
- Sounds great, go ahead.
- Does the television have Netflix?
- I watched the sunset from the terrace.
- I need to cancel this booking.
- Which of these two rooms is bigger, the deluxe or the suite?
""",
    "de": """
+ Siehst du, was ich gerade offen habe?
+ Guck mal, hier steht ein Fehler.
+ Wie heißt die Überschrift auf der Seite?
+ Was muss ich in dieses Feld eintragen?
+ Erklär mir bitte die Grafik.
+ Wo finde ich hier die Einstellungen?
+ Können Sie erkennen, was auf dem Bild ist?
+ Was will das Fenster von mir?
+ Stimmt die Zahl unten in der Tabelle?
- Haben Sie einen Fitnessraum?
- Wie sieht es mit einem späten Check-out aus?
- Ich schaue noch nach einem anderen Hotel.
- Muss ich beim Einchecken meinen Ausweis zeigen?
- Ist dieser Preis pro Person?
- Bitte ändern Sie meine Buchung auf vier Personen.
- Auf Wiedersehen und danke.
- Das Zimmer soll zur Seeseite liegen.
- Gibt es dort oben eine Bar?
""",
    "fr": """
+ Tu peux jeter un œil à mon écran partagé ?
+ Qu'est-ce que tu vois là ?
+ C'est quoi cette fenêtre qui vient de s'ouvrir ?
+ Quel est le titre de la diapo ?
+ Qu'est-ce que je dois écrire dans ce champ ?
+ Décris ce qu'il y a devant la caméra.
+ Il y a une erreur dans cette formule ?
+ Lisez-moi ce qui est affiché.
- Avez-vous une salle de sport ?
- Il faut montrer son passeport à l'accueil ?
- Est-ce que ce prix est par personne ?
- Je regarde encore d'autres hôtels.
- Modifiez ma réservation pour quatre personnes.
- On se voit à dix-neuf heures.
- La chambre donne sur quel côté ?
- Pouvez-vous me relire ma réservation ?
""",
}


def labelled(listed: dict[str, str]) -> list[tuple[str, str, bool]]:
    """Language, what was said, and whether it asks about what is shown."""
    return [
        (language, line[2:], line.startswith("+"))
        for language, lines in listed.items()
        for line in lines.strip().splitlines()
    ]
