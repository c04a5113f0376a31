//! Names of time zones: those of Windows and those of the tz database (CLDR windowsZones and the links of tzdata).

use windows_timezones::WindowsTimezone;

/// Zones of Windows and the zones of the tz database that they stand for.
const ZONES: &[(&str, &str)] = &[
    ("Dateline Standard Time", "Etc/GMT+12"),
    ("UTC-11", "Etc/GMT+11 Pacific/Midway Pacific/Niue Pacific/Pago_Pago Pacific/Samoa US/Samoa"),
    ("Aleutian Standard Time", "America/Adak America/Atka US/Aleutian"),
    (
        "Hawaiian Standard Time",
        "Etc/GMT+10 Pacific/Honolulu Pacific/Rarotonga Pacific/Tahiti HST Pacific/Johnston US/Hawaii",
    ),
    ("Marquesas Standard Time", "Pacific/Marquesas"),
    (
        "Alaskan Standard Time",
        "America/Anchorage America/Juneau America/Metlakatla America/Nome America/Sitka America/Yakutat US/Alaska",
    ),
    ("UTC-09", "Etc/GMT+9 Pacific/Gambier"),
    ("Pacific Standard Time (Mexico)", "America/Tijuana America/Ensenada America/Santa_Isabel Mexico/BajaNorte"),
    ("UTC-08", "Etc/GMT+8 Pacific/Pitcairn"),
    ("Pacific Standard Time", "America/Los_Angeles America/Vancouver Canada/Pacific PST8PDT US/Pacific"),
    (
        "US Mountain Standard Time",
        "America/Creston America/Dawson_Creek America/Fort_Nelson America/Hermosillo America/Phoenix Etc/GMT+7 MST US/Arizona",
    ),
    ("Mountain Standard Time (Mexico)", "America/Mazatlan Mexico/BajaSur"),
    (
        "Mountain Standard Time",
        "America/Boise America/Cambridge_Bay America/Ciudad_Juarez America/Denver America/Edmonton America/Inuvik America/Shiprock America/Yellowknife Canada/Mountain MST7MDT Navajo US/Mountain",
    ),
    ("Yukon Standard Time", "America/Dawson America/Whitehorse Canada/Yukon"),
    (
        "Central America Standard Time",
        "America/Belize America/Costa_Rica America/El_Salvador America/Guatemala America/Managua America/Tegucigalpa Etc/GMT+6 Pacific/Galapagos",
    ),
    (
        "Central Standard Time",
        "America/Chicago America/Indiana/Knox America/Indiana/Tell_City America/Matamoros America/Menominee America/North_Dakota/Beulah America/North_Dakota/Center America/North_Dakota/New_Salem America/Ojinaga America/Rankin_Inlet America/Resolute America/Winnipeg America/Knox_IN America/Rainy_River CST6CDT Canada/Central US/Central US/Indiana-Starke",
    ),
    ("Easter Island Standard Time", "Pacific/Easter Chile/EasterIsland"),
    (
        "Central Standard Time (Mexico)",
        "America/Bahia_Banderas America/Chihuahua America/Merida America/Mexico_City America/Monterrey Mexico/General",
    ),
    ("Canada Central Standard Time", "America/Regina America/Swift_Current Canada/Saskatchewan"),
    (
        "SA Pacific Standard Time",
        "America/Bogota America/Cayman America/Coral_Harbour America/Eirunepe America/Guayaquil America/Jamaica America/Lima America/Panama America/Rio_Branco Etc/GMT+5 America/Atikokan America/Porto_Acre Brazil/Acre EST Jamaica",
    ),
    ("Eastern Standard Time (Mexico)", "America/Cancun"),
    (
        "Eastern Standard Time",
        "America/Detroit America/Indiana/Petersburg America/Indiana/Vincennes America/Indiana/Winamac America/Iqaluit America/Kentucky/Monticello America/Louisville America/Nassau America/New_York America/Toronto America/Kentucky/Louisville America/Montreal America/Nipigon America/Pangnirtung America/Thunder_Bay Canada/Eastern EST5EDT US/Eastern US/Michigan",
    ),
    ("Haiti Standard Time", "America/Port-au-Prince"),
    ("Cuba Standard Time", "America/Havana Cuba"),
    (
        "US Eastern Standard Time",
        "America/Indiana/Marengo America/Indiana/Vevay America/Indianapolis America/Fort_Wayne America/Indiana/Indianapolis US/East-Indiana",
    ),
    ("Turks And Caicos Standard Time", "America/Grand_Turk"),
    ("Paraguay Standard Time", "America/Asuncion"),
    (
        "Atlantic Standard Time",
        "America/Glace_Bay America/Goose_Bay America/Halifax America/Moncton America/Thule Atlantic/Bermuda Canada/Atlantic",
    ),
    ("Venezuela Standard Time", "America/Caracas"),
    ("Central Brazilian Standard Time", "America/Campo_Grande America/Cuiaba"),
    (
        "SA Western Standard Time",
        "America/Anguilla America/Antigua America/Aruba America/Barbados America/Blanc-Sablon America/Boa_Vista America/Curacao America/Dominica America/Grenada America/Guadeloupe America/Guyana America/Kralendijk America/La_Paz America/Lower_Princes America/Manaus America/Marigot America/Martinique America/Montserrat America/Port_of_Spain America/Porto_Velho America/Puerto_Rico America/Santo_Domingo America/St_Barthelemy America/St_Kitts America/St_Lucia America/St_Thomas America/St_Vincent America/Tortola Etc/GMT+4 America/Virgin Brazil/West",
    ),
    ("Pacific SA Standard Time", "America/Santiago Chile/Continental"),
    ("Newfoundland Standard Time", "America/St_Johns Canada/Newfoundland"),
    ("Tocantins Standard Time", "America/Araguaina"),
    ("E. South America Standard Time", "America/Sao_Paulo Brazil/East"),
    (
        "SA Eastern Standard Time",
        "America/Belem America/Cayenne America/Fortaleza America/Maceio America/Paramaribo America/Recife America/Santarem Antarctica/Palmer Antarctica/Rothera Atlantic/Stanley Etc/GMT+3",
    ),
    (
        "Argentina Standard Time",
        "America/Argentina/La_Rioja America/Argentina/Rio_Gallegos America/Argentina/Salta America/Argentina/San_Juan America/Argentina/San_Luis America/Argentina/Tucuman America/Argentina/Ushuaia America/Buenos_Aires America/Catamarca America/Cordoba America/Jujuy America/Mendoza America/Argentina/Buenos_Aires America/Argentina/Catamarca America/Argentina/ComodRivadavia America/Argentina/Cordoba America/Argentina/Jujuy America/Argentina/Mendoza America/Rosario",
    ),
    ("Greenland Standard Time", "America/Godthab America/Nuuk"),
    ("Montevideo Standard Time", "America/Montevideo"),
    ("Magallanes Standard Time", "America/Punta_Arenas"),
    ("Saint Pierre Standard Time", "America/Miquelon"),
    ("Bahia Standard Time", "America/Bahia"),
    ("UTC-02", "America/Noronha Atlantic/South_Georgia Etc/GMT+2 Brazil/DeNoronha"),
    ("Azores Standard Time", "America/Scoresbysund Atlantic/Azores"),
    ("Cape Verde Standard Time", "Atlantic/Cape_Verde Etc/GMT+1"),
    (
        "UTC",
        "Etc/GMT Etc/UTC Etc/GMT+0 Etc/GMT-0 Etc/GMT0 Etc/Greenwich Etc/UCT Etc/Universal Etc/Zulu GMT GMT+0 GMT-0 GMT0 Greenwich UCT UTC Universal Zulu",
    ),
    (
        "GMT Standard Time",
        "Atlantic/Canary Atlantic/Faeroe Atlantic/Madeira Europe/Dublin Europe/Guernsey Europe/Isle_of_Man Europe/Jersey Europe/Lisbon Europe/London Atlantic/Faroe Eire Europe/Belfast GB GB-Eire Portugal WET",
    ),
    (
        "Greenwich Standard Time",
        "Africa/Abidjan Africa/Accra Africa/Bamako Africa/Banjul Africa/Bissau Africa/Conakry Africa/Dakar Africa/Freetown Africa/Lome Africa/Monrovia Africa/Nouakchott Africa/Ouagadougou America/Danmarkshavn Atlantic/Reykjavik Atlantic/St_Helena Africa/Timbuktu Iceland",
    ),
    ("Sao Tome Standard Time", "Africa/Sao_Tome"),
    ("Morocco Standard Time", "Africa/Casablanca Africa/El_Aaiun"),
    (
        "W. Europe Standard Time",
        "Arctic/Longyearbyen Europe/Amsterdam Europe/Andorra Europe/Berlin Europe/Busingen Europe/Gibraltar Europe/Luxembourg Europe/Malta Europe/Monaco Europe/Oslo Europe/Rome Europe/San_Marino Europe/Stockholm Europe/Vaduz Europe/Vatican Europe/Vienna Europe/Zurich Atlantic/Jan_Mayen CET MET",
    ),
    (
        "Central Europe Standard Time",
        "Europe/Belgrade Europe/Bratislava Europe/Budapest Europe/Ljubljana Europe/Podgorica Europe/Prague Europe/Tirane",
    ),
    ("Romance Standard Time", "Africa/Ceuta Europe/Brussels Europe/Copenhagen Europe/Madrid Europe/Paris"),
    ("Central European Standard Time", "Europe/Sarajevo Europe/Skopje Europe/Warsaw Europe/Zagreb Poland"),
    (
        "W. Central Africa Standard Time",
        "Africa/Algiers Africa/Bangui Africa/Brazzaville Africa/Douala Africa/Kinshasa Africa/Lagos Africa/Libreville Africa/Luanda Africa/Malabo Africa/Ndjamena Africa/Niamey Africa/Porto-Novo Africa/Tunis Etc/GMT-1",
    ),
    ("Jordan Standard Time", "Asia/Amman"),
    ("GTB Standard Time", "Asia/Famagusta Asia/Nicosia Europe/Athens Europe/Bucharest Europe/Nicosia"),
    ("Middle East Standard Time", "Asia/Beirut EET"),
    ("Egypt Standard Time", "Africa/Cairo Egypt"),
    ("E. Europe Standard Time", "Europe/Chisinau Europe/Tiraspol"),
    ("Syria Standard Time", "Asia/Damascus"),
    ("West Bank Standard Time", "Asia/Gaza Asia/Hebron"),
    (
        "South Africa Standard Time",
        "Africa/Blantyre Africa/Bujumbura Africa/Gaborone Africa/Harare Africa/Johannesburg Africa/Kigali Africa/Lubumbashi Africa/Lusaka Africa/Maputo Africa/Maseru Africa/Mbabane Etc/GMT-2",
    ),
    (
        "FLE Standard Time",
        "Europe/Helsinki Europe/Kiev Europe/Mariehamn Europe/Riga Europe/Sofia Europe/Tallinn Europe/Vilnius Europe/Kyiv Europe/Uzhgorod Europe/Zaporozhye",
    ),
    ("Israel Standard Time", "Asia/Jerusalem Asia/Tel_Aviv Israel"),
    ("South Sudan Standard Time", "Africa/Juba"),
    ("Kaliningrad Standard Time", "Europe/Kaliningrad"),
    ("Sudan Standard Time", "Africa/Khartoum"),
    ("Libya Standard Time", "Africa/Tripoli Libya"),
    ("Namibia Standard Time", "Africa/Windhoek"),
    ("Arabic Standard Time", "Asia/Baghdad"),
    ("Turkey Standard Time", "Europe/Istanbul Asia/Istanbul Turkey"),
    ("Arab Standard Time", "Asia/Aden Asia/Bahrain Asia/Kuwait Asia/Qatar Asia/Riyadh"),
    ("Belarus Standard Time", "Europe/Minsk"),
    ("Russian Standard Time", "Europe/Kirov Europe/Moscow Europe/Simferopol W-SU"),
    (
        "E. Africa Standard Time",
        "Africa/Addis_Ababa Africa/Asmera Africa/Dar_es_Salaam Africa/Djibouti Africa/Kampala Africa/Mogadishu Africa/Nairobi Antarctica/Syowa Etc/GMT-3 Indian/Antananarivo Indian/Comoro Indian/Mayotte Africa/Asmara",
    ),
    ("Iran Standard Time", "Asia/Tehran Iran"),
    ("Arabian Standard Time", "Asia/Dubai Asia/Muscat Etc/GMT-4"),
    ("Astrakhan Standard Time", "Europe/Astrakhan Europe/Ulyanovsk"),
    ("Azerbaijan Standard Time", "Asia/Baku"),
    ("Russia Time Zone 3", "Europe/Samara"),
    ("Mauritius Standard Time", "Indian/Mahe Indian/Mauritius Indian/Reunion"),
    ("Saratov Standard Time", "Europe/Saratov"),
    ("Georgian Standard Time", "Asia/Tbilisi"),
    ("Volgograd Standard Time", "Europe/Volgograd"),
    ("Caucasus Standard Time", "Asia/Yerevan"),
    ("Afghanistan Standard Time", "Asia/Kabul"),
    (
        "West Asia Standard Time",
        "Antarctica/Mawson Asia/Almaty Asia/Aqtau Asia/Aqtobe Asia/Ashgabat Asia/Atyrau Asia/Dushanbe Asia/Oral Asia/Qostanay Asia/Samarkand Asia/Tashkent Etc/GMT-5 Indian/Kerguelen Indian/Maldives Asia/Ashkhabad",
    ),
    ("Ekaterinburg Standard Time", "Asia/Yekaterinburg"),
    ("Pakistan Standard Time", "Asia/Karachi"),
    ("Qyzylorda Standard Time", "Asia/Qyzylorda"),
    ("India Standard Time", "Asia/Calcutta Asia/Kolkata"),
    ("Sri Lanka Standard Time", "Asia/Colombo"),
    ("Nepal Standard Time", "Asia/Katmandu Asia/Kathmandu"),
    ("Central Asia Standard Time", "Antarctica/Vostok Asia/Bishkek Asia/Urumqi Etc/GMT-6 Indian/Chagos Asia/Kashgar"),
    ("Bangladesh Standard Time", "Asia/Dhaka Asia/Thimphu Asia/Dacca Asia/Thimbu"),
    ("Omsk Standard Time", "Asia/Omsk"),
    ("Myanmar Standard Time", "Asia/Rangoon Indian/Cocos Asia/Yangon"),
    (
        "SE Asia Standard Time",
        "Antarctica/Davis Asia/Bangkok Asia/Jakarta Asia/Phnom_Penh Asia/Pontianak Asia/Saigon Asia/Vientiane Etc/GMT-7 Indian/Christmas Asia/Ho_Chi_Minh",
    ),
    ("Altai Standard Time", "Asia/Barnaul"),
    ("W. Mongolia Standard Time", "Asia/Hovd"),
    ("North Asia Standard Time", "Asia/Krasnoyarsk Asia/Novokuznetsk"),
    ("N. Central Asia Standard Time", "Asia/Novosibirsk"),
    ("Tomsk Standard Time", "Asia/Tomsk"),
    (
        "China Standard Time",
        "Asia/Hong_Kong Asia/Macau Asia/Shanghai Asia/Chongqing Asia/Chungking Asia/Harbin Asia/Macao Hongkong PRC",
    ),
    ("North Asia East Standard Time", "Asia/Irkutsk"),
    (
        "Singapore Standard Time",
        "Asia/Brunei Asia/Kuala_Lumpur Asia/Kuching Asia/Makassar Asia/Manila Asia/Singapore Etc/GMT-8 Asia/Ujung_Pandang Singapore",
    ),
    ("W. Australia Standard Time", "Australia/Perth Australia/West"),
    ("Taipei Standard Time", "Asia/Taipei ROC"),
    ("Ulaanbaatar Standard Time", "Asia/Ulaanbaatar Asia/Choibalsan Asia/Ulan_Bator"),
    ("Aus Central W. Standard Time", "Australia/Eucla"),
    ("Transbaikal Standard Time", "Asia/Chita"),
    ("Tokyo Standard Time", "Asia/Dili Asia/Jayapura Asia/Tokyo Etc/GMT-9 Pacific/Palau Japan"),
    ("North Korea Standard Time", "Asia/Pyongyang"),
    ("Korea Standard Time", "Asia/Seoul ROK"),
    ("Yakutsk Standard Time", "Asia/Khandyga Asia/Yakutsk"),
    ("Cen. Australia Standard Time", "Australia/Adelaide Australia/Broken_Hill Australia/South Australia/Yancowinna"),
    ("AUS Central Standard Time", "Australia/Darwin Australia/North"),
    ("E. Australia Standard Time", "Australia/Brisbane Australia/Lindeman Australia/Queensland"),
    (
        "AUS Eastern Standard Time",
        "Australia/Melbourne Australia/Sydney Australia/ACT Australia/Canberra Australia/NSW Australia/Victoria",
    ),
    (
        "West Pacific Standard Time",
        "Antarctica/DumontDUrville Etc/GMT-10 Pacific/Guam Pacific/Port_Moresby Pacific/Saipan Pacific/Truk Pacific/Yap Pacific/Chuuk",
    ),
    ("Tasmania Standard Time", "Antarctica/Macquarie Australia/Hobart Australia/Currie Australia/Tasmania"),
    ("Vladivostok Standard Time", "Asia/Ust-Nera Asia/Vladivostok"),
    ("Lord Howe Standard Time", "Australia/Lord_Howe Australia/LHI"),
    ("Bougainville Standard Time", "Pacific/Bougainville"),
    ("Russia Time Zone 10", "Asia/Srednekolymsk"),
    ("Magadan Standard Time", "Asia/Magadan"),
    ("Norfolk Standard Time", "Pacific/Norfolk"),
    ("Sakhalin Standard Time", "Asia/Sakhalin"),
    (
        "Central Pacific Standard Time",
        "Antarctica/Casey Etc/GMT-11 Pacific/Efate Pacific/Guadalcanal Pacific/Kosrae Pacific/Noumea Pacific/Ponape Pacific/Pohnpei",
    ),
    ("Russia Time Zone 11", "Asia/Anadyr Asia/Kamchatka"),
    ("New Zealand Standard Time", "Antarctica/McMurdo Pacific/Auckland Antarctica/South_Pole NZ"),
    (
        "UTC+12",
        "Etc/GMT-12 Pacific/Funafuti Pacific/Kwajalein Pacific/Majuro Pacific/Nauru Pacific/Tarawa Pacific/Wake Pacific/Wallis Kwajalein",
    ),
    ("Fiji Standard Time", "Pacific/Fiji"),
    ("Chatham Islands Standard Time", "Pacific/Chatham NZ-CHAT"),
    ("UTC+13", "Etc/GMT-13 Pacific/Enderbury Pacific/Fakaofo Pacific/Kanton"),
    ("Tonga Standard Time", "Pacific/Tongatapu"),
    ("Samoa Standard Time", "Pacific/Apia"),
    ("Line Islands Standard Time", "Etc/GMT-14 Pacific/Kiritimati"),
];

/// The Windows name of a zone of the tz database.
pub(super) fn windows_of(iana: &str) -> Option<&'static str> {
    let has = |names: &str| names.split(' ').any(|n| n.eq_ignore_ascii_case(iana));
    ZONES.iter().find(|(_, names)| has(names)).map(|(windows, _)| *windows)
}

/// The zone of the tz database that a Windows zone stands for first of all.
pub(super) fn iana_of(windows: &str) -> Option<&'static str> {
    known(windows).map(WindowsTimezone::tzdb_id)
}

/// What Windows calls a zone in its lists: "(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna".
pub(super) fn description_of(windows: &str) -> Option<&'static str> {
    known(windows).map(WindowsTimezone::description)
}

/// The Windows zone of a description, whatever offset stands before it.
pub(super) fn described(description: &str) -> Option<&'static str> {
    let (offset, cities) = description.split_once(") ")?;
    if !offset.starts_with("(UTC") && !offset.starts_with("(GMT") {
        return None;
    }
    // "Eastern Time (US & Canada)" is also written with "and".
    let cities = cities.replace(" and ", " & ");
    let same = |windows: &&str| {
        description_of(windows).and_then(|d| d.split_once(") ")).is_some_and(|(_, c)| c.eq_ignore_ascii_case(&cities))
    };
    ZONES.iter().map(|(windows, _)| *windows).find(same)
}

fn known(windows: &str) -> Option<WindowsTimezone> {
    // The list has the names as Windows writes them.
    let written = ZONES.iter().find(|(name, _)| name.eq_ignore_ascii_case(windows))?.0;
    written.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_on_both_sides() {
        for (windows, names) in ZONES {
            let first = iana_of(windows).unwrap();
            assert!(names.split(' ').any(|n| n == first), "{windows}");
            assert!(description_of(windows).is_some(), "{windows}");
            for name in names.split(' ') {
                assert!(jiff::tz::TimeZone::get(name).is_ok(), "{name}");
                assert_eq!(windows_of(name), Some(*windows), "{name}");
            }
        }
        assert_eq!(windows_of("europe/vienna"), Some("W. Europe Standard Time"));
        assert_eq!(
            described("(GMT+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna"),
            windows_of("Europe/Rome")
        );
        assert_eq!((iana_of("Nowhere"), windows_of("Nowhere"), described("(UTC) Nowhere")), (None, None, None));
    }
}
