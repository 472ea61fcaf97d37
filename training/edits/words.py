"""Draws neutral words in several languages, for captions, pages and watermarks."""

import numpy as np

# Scripts whose letters stand apart, because text is put together from single letters.
WORDS = {
    "English": "the street after rain seen today people water morning market photo city council says new report over "
    "bridge children train field before many years work light north open house found small weather story",
    "German": "die Stadt gestern am Morgen viele Menschen Wasser Markt neue Bilder vom Ufer nach dem Regen heute Zug "
    "Feld Licht Haus wieder offen Bericht unter alte Woche Kinder Garten Abend klein Nachricht",
    "French": "la ville hier matin les gens sur le pont une photo nouvelle eau vers midi apres la pluie rue jardin "
    "maison train lumiere semaine petit rapport dans village enfants soir place nord histoire",
    "Spanish": "la ciudad ayer por la noche gente en el mercado una foto nueva agua calle tren luz casa semana campo "
    "despues de la lluvia puente norte tiempo historia plaza trabajo abierto pueblo informe",
    "Italian": "la citta ieri mattina gente sul ponte una foto nuova acqua strada treno luce casa settimana campo "
    "dopo la pioggia nord tempo storia piazza lavoro aperto paese notizia sera giardino",
    "Portuguese": "a cidade ontem de manha gente na ponte uma foto nova rua trem luz casa semana campo depois da chuva "
    "norte tempo historia trabalho aberto vila noticia tarde jardim mercado praia",
    "Indonesian": "kota kemarin pagi orang di jembatan foto baru air jalan kereta cahaya rumah minggu ladang setelah "
    "hujan utara waktu cerita pasar kerja terbuka desa berita malam kebun anak sungai",
    "Turkish": "kent dun sabah insanlar pazar yeni resim su yol tren ev hafta tarla kuzey zaman haber aksam bahce "
    "kadar deniz sokak eski hava okul kitap masa renk buyuk",
    "Swahili": "mji jana asubuhi watu sokoni picha mpya maji barabara treni mwanga nyumba wiki shamba baada ya mvua "
    "kaskazini wakati habari jioni bustani kazi kijiji watoto mto",
    "Dutch": "de stad gisteren ochtend mensen op de brug een nieuwe foto water straat trein licht huis week veld na "
    "regen noorden tijd verhaal plein werk open dorp nieuws avond tuin",
    "Russian": "город вчера утром люди на мосту новая фотография вода улица поезд свет дом неделя поле после дождя "
    "север время история площадь работа открыто деревня новости вечер сад",
    "Greek": "η πόλη χθες το πρωί άνθρωποι στη γέφυρα νέα φωτογραφία νερό δρόμος τρένο φως σπίτι εβδομάδα μετά "
    "τη βροχή ώρα ιστορία πλατεία δουλειά χωριό νέα βράδυ κήπος",
    "Chinese": "昨天 早上 城市 很多 人 在 桥上 新 照片 水 街道 火车 灯光 房子 一周 田野 "
    "雨后 北方 时间 故事 广场 工作 村庄 新闻 晚上 花园",
    "Japanese": "昨日 の 朝 まち 人々 は 橋 で 新しい 写真 水 通り 電車 ひかり 家 週 畑 "
    "雨 の あと 北 時間 ものがたり 広場 しごと 村 ニュース 夜",
    "Korean": "어제 아침 도시 사람들 다리 위 새 사진 물 거리 기차 빛 집 한주 "
    "들판 비 온 뒤 북쪽 시간 이야기 광장 일 마을 소식 저녁 정원",
}
_LANGUAGES = tuple(words.split() for words in WORDS.values())


def draw_words(generator: np.random.Generator, *, count: int) -> str:
    """Returns that many words of one language, now and then with a date or a number, the first letter a capital."""
    language = _LANGUAGES[generator.integers(len(_LANGUAGES))]
    words = [language[index] for index in generator.integers(0, len(language), count)]
    if generator.random() < 0.3:
        number = int(generator.integers(1, 32))
        words[-1] = (
            f"{number}.{generator.integers(1, 13)}.{generator.integers(1990, 2030)}" if number % 2 else f"{number}"
        )
    text = " ".join(words)
    return text[:1].upper() + text[1:]
