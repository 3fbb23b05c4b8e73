"""Emoji by their names: `:thumbsup:`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_TEXT: Final = """
smile 😄 grin 😁 joy 😂 laughing 😆 sweat_smile 😅 wink 😉 blush 😊 heart_eyes 😍
kissing 😘 yum 😋 sunglasses 😎 thinking 🤔 neutral 😐 expressionless 😑 smirk 😏
relieved 😌 sleepy 😪 tired 😫 sob 😭 cry 😢 angry 😠 rage 😡 scream 😱 flushed 😳
dizzy 😵 mask 😷 innocent 😇 nerd 🤓 hug 🤗 shrug 🤷 facepalm 🤦 salute 🫡
pleading 🥺 party 🥳 upside_down 🙃 rolling_eyes 🙄 zipper 🤐 sick 🤒 cold 🥶 hot 🥵
thumbsup 👍 thumbsdown 👎 +1 👍 -1 👎 ok_hand 👌 wave 👋 clap 👏 pray 🙏 muscle 💪
point_up 👆 point_down 👇 point_left 👈 point_right 👉 raised_hands 🙌
handshake 🤝 eyes 👀 fist ✊ crossed_fingers 🤞 heart 💜 broken_heart 💔
sparkling_heart 💖 fire 🔥 sparkles ✨ star ⭐ tada 🎉 balloon 🎈 gift 🎁 rocket 🚀
zap ⚡ boom 💥 bulb 💡 bug 🐛 lock 🔒 unlock 🔓 key 🔑 bell 🔔 mute 🔇 warning 🚧
sos 🆘 question ❓ exclamation ❗ check ✅ cross ❌ hundred 💯 hourglass ⏳ clock 🕒
calendar 📅 memo 📝 book 📖 mail 📧 package 📦 paperclip 📎 link 🔗 pushpin 📌
folder 📁 computer 💻 phone 📱 camera 📷 coffee ☕ tea 🍵 beer 🍺 wine 🍷 pizza 🍕
cake 🍰 apple 🍎 bread 🍞 egg 🥚 cheese 🧀 salt 🧂 chocolate 🍫 sun 🌞 moon 🌙
cloud ⛅ rain 🌧 snow ⛄ rainbow 🌈 ocean 🌊 earth 🌍 tree 🌳 flower 🌸 cactus 🌵
seedling 🌱 cat 🐱 dog 🐶 mouse 🐭 fox 🦊 bear 🐻 panda 🐼 frog 🐸 monkey 🐵
chicken 🐔 penguin 🐧 owl 🦉 snake 🐍 turtle 🐢 octopus 🐙 fish 🐟 whale 🐳 bee 🐝
butterfly 🦋 snail 🐌 unicorn 🦄 robot 🤖 ghost 👻 alien 👽 car 🚗 bus 🚌 train 🚆
bike 🚲 plane 🛫 ship 🚢 house 🏠 office 🏢 hospital 🏥 school 🏫 tent ⛺ soccer ⚽
basketball 🏀 tennis 🎾 dart 🎯 dice 🎲 music 🎵 guitar 🎸 art 🎨 film 🎬 trophy 🏆
"""
_WORDS: Final = _TEXT.split()
EMOJI: Final[Mapping[str, str]] = dict(zip(_WORDS[::2], _WORDS[1::2], strict=True))
QUICK: Final = ("👍", "💜", "😂", "🎉", "👀", "🙏", "😢", "✅")
_ENDS: Final = re.compile(r":([a-z0-9_+-]{2,30}):$")
_BEGUN: Final = re.compile(r"(?:^|\s):([a-z0-9_+-]{1,30})$")


def finished(before: str) -> tuple[str, int] | None:
    """The emoji that the text before the cursor ends with the name of, and how long that is."""
    found = _ENDS.search(before)
    emoji = EMOJI.get(found[1]) if found else None
    return (emoji, len(found[0])) if found and emoji else None


def begun(before: str) -> list[tuple[str, str]]:
    """Names and emoji that the text before the cursor can go on to."""
    found = _BEGUN.search(before)
    if not found:
        return []
    return [(name, emoji) for name, emoji in EMOJI.items() if name.startswith(found[1])]
