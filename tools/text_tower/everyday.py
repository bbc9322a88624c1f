"""Names of everyday things, and ImageNet classes that fit them. For scoring only."""

_TABLE = """
airplanes: airliner, military aircraft
ant: ant
beaver: beaver
binocular: binoculars
bonsai: plant pot, greenhouse
butterfly: monarch butterfly, ringlet butterfly, gossamer-winged butterfly, small white butterfly
camera: reflex camera, Polaroid camera
cannon: cannon
car side: sports car, convertible, station wagon, minivan, race car
ceiling fan: electric fan
cellphone: mobile phone
chair: folding chair, rocking chair
cougar body: cougar
crab: Dungeness crab, fiddler crab, rock crab, red king crab
crayfish: crayfish
crocodile: Nile crocodile, American alligator
cup: tea cup, coffee mug
dalmatian: Dalmatian
dolphin: killer whale, grey whale
dragonfly: dragonfly
electric guitar: electric guitar
elephant: African bush elephant, Asian elephant
emu: ostrich
euphonium: trombone, French horn, cornet
ewer: water jug, whiskey jug
face: suit, sunglasses, Windsor tie, neck brace, bow tie
ferry: ocean liner, catamaran
flamingo head: flamingo
gerenuk: gazelle, impala (antelope), hartebeest
grand piano: grand piano
hawksbill: loggerhead sea turtle, leatherback sea turtle
hedgehog: porcupine
ibis: white stork, spoonbill, black stork
inline skate: unicycle, clogs
kangaroo: wallaby
ketch: schooner
lamp: table lamp, lampshade
laptop: laptop computer
leopards: leopard
llama: llama
lobster: American lobster, spiny lobster
mandolin: acoustic guitar, banjo
mayfly: lacewing, damselfly
metronome: stopwatch, analog clock
minaret: mosque
motorbikes: moped, vespa
nautilus: chambered nautilus
okapi: zebra, gazelle, impala (antelope)
pagoda: monastery, stupa, bell tower, palace
panda: giant panda
pizza: pizza
platypus: platypus
revolver: revolver
rhino: hippopotamus, African bush elephant
rooster: rooster
saxophone: saxophone
schooner: schooner
scorpion: scorpion
soccer ball: soccer ball
starfish: starfish
stop sign: traffic or street sign, traffic light
strawberry: strawberry
sunflower: daisy
tick: tick
trilobite: trilobite
umbrella: umbrella
watch: digital watch, stopwatch
wheelchair: tricycle, barber chair, stretcher
wild cat: lynx, tabby cat, tiger cat, cougar, Egyptian Mau
windsor chair: folding chair, rocking chair, throne
wrench: screwdriver, hammer, plunger
"""

EVERYDAY = {
    name: accepted.split(", ")
    for name, accepted in (line.split(": ") for line in _TABLE.strip().splitlines())
}
